/**
 * The way back: stored bytes → check → decrypt → decompress → check. Guarantees: the returned stream *ends* only after
 * the stored and the raw bytes have matched what the sidecar recorded, in length and sha256; in every other case it
 * errors. What is restored is what was verified, because it is the same reading.
 */
import type { Readable } from 'node:stream';
import { wrapError } from '../../errors.ts';
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
  const stages = [stored, ...(await decoders(content, choice, signal, runtime)), raw];
  try {
    const source = await backup.on.destination.get(backup.key, { signal });
    const stream = readThrough({ source, stages, signal });
    return { stream, stored: () => stored.result(), raw: () => raw.result() };
  } catch (cause) {
    throw wrapError(cause, 'DESTINATION_FAILED', `reading ${describeBackup(backup)} failed`);
  }
}

async function decoders(
  content: ContentDescription,
  choice: ContentChoice,
  signal: AbortSignal,
  runtime: Runtime,
): Promise<Stage[]> {
  const stages: Stage[] = [];
  const result = () => undefined;
  if (content.encryption && choice.decrypt) {
    const { type, record } = content.encryption;
    const decryptor = await runtime.decryptor();
    stages.push({ name: 'decrypt', stream: await decryptor.decrypt(type, record), result });
  }
  if (content.compression !== 'none' && choice.decompress && (choice.decrypt || !content.encryption)) {
    stages.push({ name: 'decompress', stream: await codecs[content.compression].decompress(signal), result });
  }
  return stages;
}
