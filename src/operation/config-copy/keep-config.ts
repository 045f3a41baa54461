/**
 * The configuration beside the backups, so that the jobs of a lost machine can be set up again. Guarantees: secrets are
 * hidden as in `config show`; encrypted where the backups of the run are; written once for each change and never
 * overwritten; a copy that cannot be stored is trouble of the run, and never hides its backup.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Encryptor } from '../../crypto/encryption.ts';
import { explain } from '../../errors.ts';
import { configCopyPrefix, formatConfigCopyName, parseConfigCopyName } from '../../sidecar/config-copy-name.ts';
import type { Execution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import type { OpenDestination } from '../storage/stored-backup.ts';

/** Does nothing unless the configuration says `keepConfig`. `destinations`: where this run was published. */
export async function keepConfig(
  destinations: readonly OpenDestination[],
  encryptor: Encryptor | undefined,
  execution: Execution,
  { config, host }: Runtime,
): Promise<void> {
  const text = config?.keptText;
  if (text === undefined) return;
  const copy = { text, hash12: createHash('sha256').update(text).digest('hex').slice(0, 12), host, encryptor };
  for (const on of destinations) {
    try {
      await keepAt(on, copy, execution);
    } catch (error) {
      execution.signal.throwIfAborted();
      execution.trouble(`${on.name}: the configuration could not be kept there: ${explain(error)}`);
    }
  }
}

interface Copy {
  readonly text: string;
  readonly hash12: string;
  readonly host: string;
  readonly encryptor?: Encryptor;
}

async function keepAt(on: OpenDestination, copy: Copy, { startedAt, signal, log }: Execution): Promise<void> {
  const { encryptor, hash12, host } = copy;
  const extension = encryptor?.extension ?? '';
  const found = [];
  for await (const { key } of on.destination.list(configCopyPrefix(host), { signal })) {
    const name = parseConfigCopyName(key);
    if (name?.extension === extension) found.push(name);
  }
  const newest = found.sort((a, b) => b.keptAt.getTime() - a.keptAt.getTime())[0];
  if (newest?.hash12 === hash12) return;
  const key = formatConfigCopyName({ host, keptAt: startedAt, hash12, extension });
  const content = await sealed(copy, signal);
  const stream = Readable.from([content], { objectMode: false });
  await on.destination.put(key, stream, { signal, estimatedBytes: content.length });
  log('info', `${on.name}: the configuration has changed; kept as ${key}`);
}

async function sealed({ text, encryptor }: Copy, signal: AbortSignal): Promise<Buffer> {
  const plain = Buffer.from(text);
  if (encryptor === undefined) return plain;
  const { stream } = await encryptor.encrypt();
  const parts: Buffer[] = [];
  await pipeline(
    Readable.from([plain], { objectMode: false }),
    stream,
    async (encrypted: AsyncIterable<Buffer>) => {
      for await (const part of encrypted) parts.push(part);
    },
    { signal },
  );
  return Buffer.concat(parts);
}
