/**
 * What was told of a job by a channel, one small file each under `notified/` of the state folder, so that two runs
 * never write the same one. Losing it costs a message more, never one less; hence it is read tolerantly.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Message } from '../../notification/notification.ts';

const toldSchema = z.object({ at: z.iso.datetime(), fingerprint: z.string() });

/** The newest failure or warning that was told, and not followed by a success. */
export type Told = z.output<typeof toldSchema>;

export interface Memory {
  recall(): Promise<Told | undefined>;
  remember(message: Message): Promise<void>;
  forget(): Promise<void>;
}

export function openMemory(stateFolder: string, channel: string, job: string): Memory {
  const folder = join(stateFolder, 'notified');
  // Names have no tilde.
  const file = join(folder, `${channel}~${job}.json`);
  return {
    async recall() {
      try {
        return toldSchema.parse(JSON.parse(await readFile(file, 'utf8')));
      } catch {
        return undefined;
      }
    },
    async remember(message) {
      const told: Told = { at: new Date().toISOString(), fingerprint: fingerprintOf(message) };
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const temporary = `${file}.${randomUUID()}`;
      await writeFile(temporary, `${JSON.stringify(told)}\n`, { mode: 0o600 });
      await rename(temporary, file);
    },
    forget: () => rm(file, { force: true }),
  };
}

/** The same trouble has the same fingerprint: times, sizes, process numbers and ids in its words do not count. */
export function fingerprintOf({ event, status, error, warnings }: Message): string {
  const words = [event, status, error?.code, error?.message, ...warnings].join('\n');
  return createHash('sha256')
    .update(words.replace(/[0-9a-f]{6,}|\d+/gi, '#'))
    .digest('hex');
}
