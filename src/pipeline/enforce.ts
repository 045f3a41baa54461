/**
 * Holds a stream to what was recorded about it.
 * Guarantees: its output ends only if size and hash are the recorded ones; not one byte more than recorded or allowed
 * passes, so that a decompression bomb stops there.
 */
import { DbBackupError } from '../errors.ts';
import { meter } from './meter.ts';
import type { Measure, Stage } from './stage.ts';

export interface Expectation {
  /** For messages: `the decompressed dump`. */
  readonly what: string;
  /** Exact size. */
  readonly bytes?: number;
  /** Hex. */
  readonly sha256?: string;
  readonly maxBytes?: number;
}

const damagedHint = 'This copy is damaged: restore from another destination or from another backup.';

/**
 * Errors with INTEGRITY when size or hash differ, and with LIMIT_EXCEEDED beyond `maxBytes`. `onBytes` gets the total
 * so far, once per chunk.
 */
export function enforce(
  { what, bytes, sha256, maxBytes }: Expectation,
  onBytes?: (total: number) => void,
): Stage<Measure> {
  const name = `check of ${what}`;
  return meter(name, { onBytes: limit, onEnd: compare });

  function limit(total: number): void {
    onBytes?.(total);
    if (bytes !== undefined && total > bytes) {
      throw integrity(`${what} is larger than recorded: expected ${bytes} bytes, found at least ${total}`);
    }
    if (maxBytes !== undefined && total > maxBytes) {
      throw new DbBackupError('LIMIT_EXCEEDED', `${what} is larger than the limit of ${maxBytes} bytes`, {
        hint: 'If you trust where this backup comes from, raise the limit.',
      });
    }
  }

  function compare(found: Measure): void {
    if (bytes !== undefined && found.bytes !== bytes) {
      throw integrity(`${what} is shorter than recorded: expected ${bytes} bytes, found ${found.bytes}`);
    }
    if (sha256 !== undefined && found.sha256 !== sha256.toLowerCase()) {
      throw integrity(`${what} is not what was recorded: expected sha256 ${sha256}, found ${found.sha256}`);
    }
  }
}

function integrity(message: string): DbBackupError {
  return new DbBackupError('INTEGRITY', message, { hint: damagedHint });
}
