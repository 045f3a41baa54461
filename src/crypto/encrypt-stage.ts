import { DbBackupError } from '../errors.ts';
import type { SealingStream } from './chunk/sealing-stream.ts';
import type { EncryptionRecord, EncryptStage } from './encryption.ts';

/** The stage `encrypt`; its record is given out once the last byte has passed. */
export function encryptStage(stream: SealingStream, record: EncryptionRecord): EncryptStage {
  return {
    name: 'encrypt',
    stream,
    result() {
      if (stream.readableEnded) return record;
      throw tooEarly('result');
    },
    sealed() {
      if (stream.measure) return stream.measure;
      throw tooEarly('measure');
    },
  };
}

function tooEarly(what: string): DbBackupError {
  return new DbBackupError('UNEXPECTED', `the ${what} of encrypt was asked for before its stream had ended`);
}
