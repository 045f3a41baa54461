import { DbBackupError } from '../../errors.ts';
import type { Codec, CompressionType } from './compression.ts';

export const codecs: Readonly<Record<CompressionType, Codec>> = {} as Record<CompressionType, Codec>;

/** The codec whose files end in `extension` (`.zst`); undefined when there is none. */
export function codecByExtension(_extension: string): Codec | undefined {
  throw new DbBackupError('UNEXPECTED', 'not written yet');
}

/** What is wrong with `level`, or undefined. */
export function checkLevel(_type: CompressionType, _level: number): string | undefined {
  throw new DbBackupError('UNEXPECTED', 'not written yet');
}
