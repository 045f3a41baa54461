/** The kind `rclone` of the destinations. */
import type { DestinationType } from '../destination.ts';
import { type RcloneOptions, rcloneOptions } from './options.ts';
import { RcloneDestination } from './rclone-destination.ts';
import { rcloneSetup } from './setup.ts';

export const rcloneType: DestinationType<RcloneOptions> = {
  type: 'rclone',
  options: rcloneOptions,
  open: (options, baseFolder) => new RcloneDestination(options, baseFolder),
  setup: rcloneSetup,
};
