/**
 * The way back: stored bytes → check → decrypt → decompress → check. Guarantees: the returned stream *ends* only after
 * the stored and the raw bytes have matched what the sidecar recorded, in length and sha256; in every other case it
 * errors. What is restored is what was verified, because it is the same reading.
 */
import type { Readable } from 'node:stream';
import type { Decryption } from '../../crypto/encryption.ts';
import { DbBackupError, wrapError } from '../../errors.ts';
import { codecs } from '../../pipeline/compression/all.ts';
import { enforce } from '../../pipeline/enforce.ts';
import { readThrough } from '../../pipeline/run.ts';
import type { Measure, Stage } from '../../pipeline/stage.ts';
import type { Execution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import type { ContentDescription } from '../storage/describe-content.ts';
import { describeBackup, type StoredBackup } from '../storage/stored-backup.ts';
import { holdForReading } from './hold-for-reading.ts';

export interface ContentChoice {
  readonly decrypt: boolean;
  readonly decompress: boolean;
}

export interface OpenContent {
  readonly stream: Readable;
  /**
   * Resolves once one of our keys has authenticated the encryption header (at once for what is not decrypted): before
   * anything is done to a target. Rejects with WRONG_KEY and the like; the stream has then failed, too.
   */
  readonly opened: Promise<void>;
  /** Of what was stored; call after the stream has ended. */
  stored(): Measure;
  /** Of what comes out; call after the stream has ended. */
  raw(): Measure;
}

export const wholeContent: ContentChoice = { decrypt: true, decompress: true };

export async function openContent(
  backup: StoredBackup,
  content: ContentDescription,
  choice: ContentChoice,
  execution: Execution,
  runtime: Runtime,
): Promise<OpenContent> {
  const { signal } = execution;
  await holdForReading(backup, execution, runtime);
  const seen = { raw: 0, stored: 0 };
  const size = content.stored?.bytes ?? backup.object?.size;
  const total = size === undefined ? undefined : { bytes: size, exact: true };
  const stored = enforce({ what: `the stored file ${describeBackup(backup)}`, ...content.stored }, (bytes) => {
    seen.stored = bytes;
    execution.progress(seen.raw, bytes, total);
  });
  const rawExpected = choice.decompress && choice.decrypt ? content.raw : undefined;
  const raw = enforce({ what: `the content of ${describeBackup(backup)}`, ...rawExpected }, (bytes) => {
    seen.raw = bytes;
  });
  const decryption = choice.decrypt ? await openDecryption(content, runtime) : undefined;
  const decrypt: Stage[] = decryption ? [{ name: 'decrypt', stream: decryption, result: () => undefined }] : [];
  const stages = [stored, ...decrypt, ...(await decompressor(content, choice, signal)), raw];
  try {
    const source = await backup.on.destination.get(backup.key, { signal });
    const stream = readThrough({ source, stages, signal });
    // Whoever waits for `opened` has not begun to read, and must not be hit by an error that nobody listens to.
    stream.on('error', () => {});
    return {
      stream,
      opened: decryption?.opened ?? Promise.resolve(),
      stored: () => stored.result(),
      raw: () => raw.result(),
    };
  } catch (cause) {
    for (const stage of stages) stage.stream.destroy();
    throw wrapError(cause, 'DESTINATION_FAILED', `reading ${describeBackup(backup)} failed`);
  }
}

async function openDecryption(content: ContentDescription, runtime: Runtime): Promise<Decryption | undefined> {
  const { encryption } = content;
  return encryption && (await runtime.decryptor()).decrypt(encryption.type, encryption.record);
}

async function decompressor(
  { compression, encryption }: ContentDescription,
  choice: ContentChoice,
  signal: AbortSignal,
): Promise<Stage[]> {
  if (compression === 'none' || !choice.decompress) return [];
  if (encryption && !choice.decrypt) {
    throw new DbBackupError('USAGE', 'an encrypted backup can be decompressed only when it is decrypted, too', {
      hint: 'Say --decrypt --decompress.',
    });
  }
  return [{ name: 'decompress', stream: await codecs[compression].decompress(signal), result: () => undefined }];
}
