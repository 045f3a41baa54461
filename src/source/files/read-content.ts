/**
 * Content of files that others may be writing to. Guarantees: exactly the bytes that the header promises come, or an
 * error does. A small file is read whole until it holds still; a large one must hold still while it is read.
 */
import { type BigIntStats, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { DbBackupError } from '../../errors.ts';
import type { Notes } from './notes.ts';
import { readFlags } from './open-folder.ts';

/** Up to this size a file is read before its header is written. */
export const smallBytes = 1024 * 1024;
const pieceBytes = 128 * 1024;
const tries = 5;
const pauseMs = 20;

export interface ReadPolicy {
  readonly changedFiles: 'fail' | 'warn';
  readonly notes: Notes;
  readonly signal: AbortSignal;
}

/**
 * The quick way for the many small files that nobody writes to: five calls that do not leave the thread. Undefined where
 * anything is unusual; then the slow way finds out what.
 */
export function readStill(path: Buffer): { content: Buffer; stat: BigIntStats } | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, readFlags);
    const stat = fstatSync(descriptor, { bigint: true });
    if (!stat.isFile() || stat.size > smallBytes) return undefined;
    const content = Buffer.allocUnsafe(Number(stat.size) + 1);
    const bytes = readSync(descriptor, content, 0, content.length, 0);
    const isWhole = bytes === Number(stat.size) && isSame(stat, fstatSync(descriptor, { bigint: true }));
    return isWhole ? { content: content.subarray(0, bytes), stat } : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The whole file and its state, both from one moment. Undefined: it has grown large meanwhile. */
export async function readSmall(
  path: Buffer,
  file: FileHandle,
  policy: ReadPolicy,
): Promise<{ content: Buffer; stat: BigIntStats } | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    policy.signal.throwIfAborted();
    const before = await file.stat({ bigint: true });
    if (before.size > smallBytes) return undefined;
    // One byte more than there should be, to see that it ends there.
    const content = await readAt(file, 0, Number(before.size) + 1);
    const after = await file.stat({ bigint: true });
    const whole = content.length === Number(before.size) && isSame(before, after);
    if (whole) return { content, stat: before };
    if (attempt === tries) {
      changed(path, policy);
      return { content, stat: after };
    }
    await delay(pauseMs, undefined, { signal: policy.signal }).catch(() => {});
  }
}

/** `size` bytes of a file, as its header has promised. */
export async function* readLarge(
  path: Buffer,
  file: FileHandle,
  promised: BigIntStats,
  policy: ReadPolicy,
): AsyncGenerator<Buffer> {
  const size = Number(promised.size);
  for (let at = 0; at < size; ) {
    policy.signal.throwIfAborted();
    const piece = await readAt(file, at, Math.min(pieceBytes, size - at));
    if (piece.length === 0) throw changedError(`${path} became shorter while it was read (${at} of ${size} bytes)`);
    at += piece.length;
    yield piece;
  }
  if (!isSame(promised, await file.stat({ bigint: true }))) changed(path, policy);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** A change shows in size or in one of the times; who sets the time back cannot set back when that was done. */
function isSame(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
}

function changed(path: Buffer, { changedFiles, notes }: ReadPolicy): void {
  if (changedFiles === 'fail') throw changedError(`${path} was written to while it was read`);
  notes.add('changed', path, `${path} was written to while it was read; the backup holds what was read of it`);
}

function changedError(message: string): DbBackupError {
  return new DbBackupError('SOURCE_FAILED', message, {
    retryable: true,
    hint: 'Exclude it, pause its writer with a "before" hook, back up a snapshot, or say "changedFiles: warn" where a torn copy is good enough. "retry" tries again.',
  });
}
