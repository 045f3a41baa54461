import { DbBackupError } from '../errors.ts';
import type { Stage } from '../pipeline/stage.ts';
import type { SealingStream } from './chunk/sealing-stream.ts';
import type { EncryptionRecord } from './encryption.ts';

/** The stage `encrypt`; its record is given out once the last byte has passed. */
export function encryptStage(stream: SealingStream, record: EncryptionRecord): Stage<EncryptionRecord> {
  return {
    name: 'encrypt',
    stream,
    result() {
      if (stream.readableEnded) return record;
      throw new DbBackupError('UNEXPECTED', 'the result of encrypt was asked for before its stream had ended');
    },
  };
}
