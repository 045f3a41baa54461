/** Which keys living backups still need: the question to ask before a key is thrown away. Reads sidecars only. */
import type { Runtime } from '../runtime.ts';
import { fingerprintsOf } from './fingerprints.ts';
import { type Listing, list } from './list.ts';
import type { StoredBackup } from './stored-backup.ts';

export interface NeededKey {
  /** Of an age recipient, the id of an AES key, or `passphrase`, which has no id: then the profile tells which one. */
  readonly fingerprint: string;
  readonly type: string;
  /** Names of the config's profiles at the time of the backups. */
  readonly profiles: readonly string[];
  /** How many backups it opens, and of how many it is the only key. Copies of one backup count once. */
  readonly backups: number;
  readonly onlyKeyOf: number;
  /** ISO 8601, of the newest of them. */
  readonly newest: string;
  readonly destinations: readonly string[];
}

export interface NeededKeys {
  /** The key of the newest backup first. */
  readonly keys: readonly NeededKey[];
  /** Encrypted objects whose sidecar is missing or unreadable, so that nobody can say what they need. */
  readonly unknown: number;
  readonly failures: Listing['failures'];
}

export async function neededKeys(destinations: readonly string[], runtime: Runtime): Promise<NeededKeys> {
  const { backups, failures } = await list({ destinations, incomplete: true }, runtime);
  const living = backups.filter(({ condition }) => condition !== 'missing' && condition !== 'deleting');
  const groups = new Map<string, { type: string; fingerprint: string; opens: StoredBackup[] }>();
  for (const backup of living) {
    const encryption = backup.sidecar?.encryption;
    if (!encryption) continue;
    const { type } = encryption;
    for (const fingerprint of fingerprintsOf(encryption)) {
      const id = JSON.stringify([type, fingerprint, encryption.passphrase && encryption.profile]);
      const group = groups.get(id) ?? { type, fingerprint, opens: [] };
      group.opens.push(backup);
      groups.set(id, group);
    }
  }
  const keys = [...groups.values()].map(({ type, fingerprint, opens }) => ({
    fingerprint,
    type,
    profiles: unique(opens.map((backup) => backup.sidecar?.encryption?.profile)),
    backups: idsOf(opens).length,
    onlyKeyOf: idsOf(opens.filter(hasOneKey)).length,
    newest: unique(opens.map((backup) => backup.sidecar?.startedAt)).at(-1) ?? '',
    destinations: unique(opens.map((backup) => backup.on.name)),
  }));
  const unknown = living.filter(({ sidecar, key }) => !sidecar && /\.(age|enc)$/.test(key)).length;
  return { keys: keys.sort((a, b) => b.newest.localeCompare(a.newest)), unknown, failures };
}

function hasOneKey({ sidecar }: StoredBackup): boolean {
  return sidecar?.encryption !== undefined && fingerprintsOf(sidecar.encryption).length === 1;
}

function idsOf(backups: readonly StoredBackup[]): readonly string[] {
  return unique(backups.map(({ sidecar }) => sidecar?.id));
}

/** In ascending order. */
function unique(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))].sort();
}
