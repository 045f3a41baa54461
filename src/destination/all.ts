/** Every kind of destination. A new one is a folder beside this file and a line here. */
import type { DestinationType } from './destination.ts';
import { localType } from './local/local.ts';
import { rcloneType } from './rclone/rclone.ts';
import { s3Type } from './s3/s3.ts';
import { sftpType } from './sftp/sftp.ts';

export const destinationTypes: readonly DestinationType[] = [localType, s3Type, sftpType, rcloneType];
