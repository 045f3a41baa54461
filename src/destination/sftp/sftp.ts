/** The kind `sftp` of the destinations. */
import type { DestinationType } from '../destination.ts';
import { type SftpOptions, sftpOptions } from './options.ts';
import { sftpSetup } from './setup.ts';
import { SftpDestination } from './sftp-destination.ts';

export const sftpType: DestinationType<SftpOptions> = {
  type: 'sftp',
  options: sftpOptions,
  open: (options, baseFolder) => new SftpDestination(options, baseFolder),
  setup: sftpSetup,
};
