/**
 * The storage explorer: groups what a destination lists into backups and reads their sidecars, some at a time.
 * Guarantees: one unreadable sidecar hides neither its own backup nor another's. Refuses: nothing; a foreign object is
 * passed over.
 */
import type { StoredObject } from '../../destination/destination.ts';
import { messageOf } from '../../errors.ts';
import { type ArtifactName, parseArtifactName } from '../../sidecar/artifact-name.ts';
import {
  type ParsedSidecar,
  parseSidecar,
  type Sidecar,
  sidecarExtension,
  sidecarLimit,
} from '../../sidecar/sidecar.ts';
import { type BackupState, parseState, stateExtension, stateLimit } from '../../sidecar/state.ts';
import { readObject } from './read-object.ts';
import type { OpenDestination, StoredBackup } from './stored-backup.ts';

const parallelReads = 16;

interface Group {
  readonly key: string;
  readonly name?: ArtifactName;
  data?: StoredObject;
  sidecar?: StoredObject;
  state?: StoredObject;
}

/** All backups under `prefix` (a job's folder, or everything), in no order. */
export async function listBackups(on: OpenDestination, prefix: string, signal?: AbortSignal): Promise<StoredBackup[]> {
  const groups = [...(await groupObjects(on, prefix, signal)).values()];
  const backups: StoredBackup[] = [];
  const worker = async () => {
    for (let group = groups.pop(); group; group = groups.pop()) backups.push(await readGroup(on, group, signal));
  };
  await Promise.all(Array.from({ length: parallelReads }, worker));
  return backups;
}

async function groupObjects(on: OpenDestination, prefix: string, signal?: AbortSignal): Promise<Map<string, Group>> {
  const groups = new Map<string, Group>();
  for await (const object of on.destination.list(prefix, { signal })) {
    const role = roleOf(object.key);
    const name = parseArtifactName(role.dataKey.slice(role.dataKey.lastIndexOf('/') + 1));
    if (!name) continue;
    const group = groups.get(role.dataKey) ?? { key: role.dataKey, name };
    group[role.part] = object;
    groups.set(role.dataKey, group);
  }
  return groups;
}

function roleOf(key: string): { dataKey: string; part: 'data' | 'sidecar' | 'state' } {
  if (key.endsWith(sidecarExtension)) return { dataKey: key.slice(0, -sidecarExtension.length), part: 'sidecar' };
  if (key.endsWith(stateExtension)) return { dataKey: key.slice(0, -stateExtension.length), part: 'state' };
  return { dataKey: key, part: 'data' };
}

/** Reads one backup by the key of its data object, whatever its name is. */
export async function findBackup(on: OpenDestination, key: string, signal?: AbortSignal): Promise<StoredBackup> {
  const name = parseArtifactName(key.slice(key.lastIndexOf('/') + 1));
  const [data, sidecar, state] = await Promise.all(
    [key, key + sidecarExtension, key + stateExtension].map((each) => on.destination.stat(each)),
  );
  return readGroup(on, { key, name, data, sidecar, state }, signal);
}

async function readGroup(on: OpenDestination, group: Group, signal?: AbortSignal): Promise<StoredBackup> {
  const base = { on, key: group.key, name: group.name, object: group.data };
  try {
    const { sidecar, json } = (group.sidecar && (await readSidecar(on, group.sidecar.key, signal))) ?? {};
    const state = group.state && (await readState(on, group.state.key, signal));
    return { ...base, sidecar, sidecarJson: json, state, ...judge(group, sidecar, state) };
  } catch (error) {
    signal?.throwIfAborted();
    return { ...base, condition: 'unreadable', problem: messageOf(error) };
  }
}

async function readSidecar(on: OpenDestination, key: string, signal?: AbortSignal): Promise<ParsedSidecar> {
  return parseSidecar(await readObject(on.destination, key, sidecarLimit, signal), `${on.name}:${key}`);
}

async function readState(on: OpenDestination, key: string, signal?: AbortSignal): Promise<BackupState> {
  return parseState(await readObject(on.destination, key, stateLimit, signal), `${on.name}:${key}`);
}

function judge(
  group: Group,
  sidecar: Sidecar | undefined,
  state: BackupState | undefined,
): Pick<StoredBackup, 'condition' | 'problem'> {
  if (state?.deleting) return { condition: 'deleting', problem: 'its deletion was interrupted' };
  if (!sidecar) return { condition: 'orphan', problem: 'it has no sidecar' };
  if (!group.data) return { condition: 'missing', problem: 'its data object is gone' };
  const fileName = group.key.slice(group.key.lastIndexOf('/') + 1);
  if (sidecar.artifact.name !== fileName) {
    return { condition: 'damaged', problem: `its sidecar describes ${sidecar.artifact.name}` };
  }
  if (sidecar.artifact.storedBytes !== group.data.size) {
    const { storedBytes } = sidecar.artifact;
    return { condition: 'damaged', problem: `it has ${group.data.size} bytes, its sidecar says ${storedBytes}` };
  }
  return { condition: 'complete' };
}
