/** The kept configuration of a machine that is gone, from a destination that is left. Changes nothing there. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { encryptionByExtension } from '../../crypto/encryption.ts';
import { DbBackupError, wrapError } from '../../errors.ts';
import { type ConfigCopyName, configCopyFolder, parseConfigCopyName } from '../../sidecar/config-copy-name.ts';
import { choiceHint } from '../choice-hint.ts';
import { openDestination, openLocalFile } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { readObject } from '../storage/read-object.ts';
import type { OpenDestination } from '../storage/stored-backup.ts';

/** Bytes of a copy; a configuration is far smaller. */
const limit = 4 * 2 ** 20;

export interface KeptConfig extends ConfigCopyName {
  readonly on: OpenDestination;
  readonly key: string;
}

/** Newest first. `place`: a destination of the config, or a folder. */
export async function keptConfigs(place: string, runtime: Runtime): Promise<readonly KeptConfig[]> {
  const on = await openPlace(place, runtime);
  const found: KeptConfig[] = [];
  for await (const { key } of on.destination.list(configCopyFolder, { signal: runtime.signal })) {
    const name = parseConfigCopyName(key);
    if (name) found.push({ ...name, on, key });
  }
  return found.sort((a, b) => b.keptAt.getTime() - a.keptAt.getTime());
}

/** The newest of one machine; throws BACKUP_NOT_FOUND where none is, USAGE where it is not clear whose. */
export function chooseKept(kept: readonly KeptConfig[], place: string, host: string | undefined): KeptConfig {
  const hosts = new Set(kept.map((each) => each.host));
  if (hosts.size === 0) {
    throw new DbBackupError('BACKUP_NOT_FOUND', `no configuration is kept at ${place}`, {
      hint: 'With `keepConfig: true` in its configuration a machine keeps it beside its backups, from the next run on.',
    });
  }
  if (host === undefined && hosts.size > 1) {
    const names = [...hosts].join(', ');
    throw new DbBackupError('USAGE', `configurations of ${hosts.size} machines are kept at ${place}: ${names}`, {
      hint: 'Say whose with --host <name>.',
    });
  }
  const chosen = kept.find((each) => host === undefined || each.host === host);
  if (chosen) return chosen;
  throw new DbBackupError('BACKUP_NOT_FOUND', `no configuration of the machine "${host}" is kept at ${place}`, {
    hint: choiceHint(host ?? '', hosts),
  });
}

/** Its text, decrypted with the keys at hand. */
export async function readKept({ on, key, extension }: KeptConfig, runtime: Runtime): Promise<string> {
  try {
    const content = await readObject(on.destination, key, limit, runtime.signal);
    const type = encryptionByExtension[extension];
    if (type === undefined) return content.toString();
    const decryption = await (await runtime.decryptor()).decrypt(type, undefined);
    decryption.opened.catch(() => undefined);
    const plain = Readable.from([content], { objectMode: false }).pipe(decryption);
    return Buffer.concat(await plain.toArray({ signal: runtime.signal })).toString();
  } catch (cause) {
    throw wrapError(cause, 'DESTINATION_FAILED', `reading ${on.name}:${key} failed`);
  }
}

async function openPlace(place: string, runtime: Runtime): Promise<OpenDestination> {
  const definition = runtime.config?.destinations.get(place);
  if (definition) return openDestination(definition, runtime);
  const folder = resolve(runtime.workingFolder, place);
  const isFolder = (await stat(folder).catch(() => undefined))?.isDirectory();
  if (isFolder) return openLocalFile(join(folder, 'any'), runtime).on;
  throw new DbBackupError('USAGE', `"${place}" is neither a destination of the config nor a folder`, {
    hint: choiceHint(place, runtime.config?.destinations.keys() ?? []),
  });
}
