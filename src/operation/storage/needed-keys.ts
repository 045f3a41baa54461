/** Which keys living backups still need: the question to ask before a key is thrown away. Reads sidecars only. */
import type { Runtime } from '../runtime.ts';
import { type Listing, list } from './list.ts';
import type { StoredBackup } from './stored-backup.ts';

export interface NeededKey {
  /** Of an age recipient, the id of an AES key, or `passphrase`. */
  readonly fingerprint: string;
  readonly type: string;
  /** Names of the config's profiles at the time of the backups. */
  readonly profiles: readonly string[];
  /** How many backups it opens, and of how many it is the only key. */
  readonly backups: number;
  readonly onlyKeyOf: number;
  /** ISO 8601, of the newest of them. */
  readonly newest: string;
  readonly destinations: readonly string[];
}

export interface NeededKeys {
  readonly keys: readonly NeededKey[];
  /** Objects whose sidecar is missing or unreadable, so that nobody can say what they need. */
  readonly unknown: number;
  readonly failures: Listing['failures'];
}

export async function neededKeys(destinations: readonly string[], runtime: Runtime): Promise<NeededKeys> {
  const { backups, failures } = await list({ destinations, incomplete: true }, runtime);
  const groups = new Map<string, StoredBackup[]>();
  for (const backup of backups) {
    for (const fingerprint of fingerprints(backup)) {
      const id = `${backup.sidecar?.encryption?.type} ${fingerprint}`;
      groups.set(id, [...(groups.get(id) ?? []), backup]);
    }
  }
  const keys = [...groups.values()].map(summarize);
  const unknown = backups.filter((backup) => backup.sidecar === undefined).length;
  return { keys: keys.sort((a, b) => b.newest.localeCompare(a.newest)), unknown, failures };

  function summarize(opened: readonly StoredBackup[], index: number): NeededKey {
    const [type = '', fingerprint = ''] = ([...groups.keys()][index] ?? '').split(' ');
    return {
      fingerprint,
      type,
      profiles: unique(opened.map((backup) => backup.sidecar?.encryption?.profile)),
      backups: opened.length,
      onlyKeyOf: opened.filter((backup) => fingerprints(backup).length === 1).length,
      newest:
        opened
          .map((backup) => backup.sidecar?.startedAt ?? '')
          .sort()
          .at(-1) ?? '',
      destinations: unique(opened.map((backup) => backup.on.name)),
    };
  }
}

function fingerprints({ sidecar }: StoredBackup): readonly string[] {
  const { encryption } = sidecar ?? {};
  if (!encryption) return [];
  if (encryption.passphrase) return ['passphrase'];
  return encryption.recipients ?? (encryption.keyId ? [encryption.keyId] : []);
}

function unique(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))].sort();
}
