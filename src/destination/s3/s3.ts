/** The kind `s3` of the destinations. */
import type { DestinationType } from '../destination.ts';
import { type S3Options, s3Options } from './options.ts';
import { S3Destination } from './s3-destination.ts';
import { s3Setup } from './setup.ts';

export const s3Type: DestinationType<S3Options> = {
  type: 's3',
  options: s3Options,
  open: (options, baseFolder) => new S3Destination(options, baseFolder),
  setup: s3Setup,
};
