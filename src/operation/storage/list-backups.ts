/**
 * The storage explorer: groups what a destination lists into backups and reads their sidecars, some at a time.
 * Guarantees: one unreadable sidecar hides neither its own backup nor another's. Refuses: nothing; a foreign object is
 * passed over.
 */
import { setMaxListeners } from 'node:events';
import type { StoredObject } from '../../destination/destination.ts';
import { nameOf } from '../../destination/key.ts';
import { messageOf } from '../../errors.ts';
import { type ArtifactName, parseArtifactName } from '../../sidecar/artifact-name.ts';
import { parseSidecar, type Sidecar, sidecarExtension, sidecarLimit } from '../../sidecar/sidecar.ts';
import { type BackupState, parseState, stateExtension, stateLimit } from '../../sidecar/state.ts';
import { ifThere, readObject } from './read-object.ts';
import { readState } from './read-state.ts';
import { SidecarCache } from './sidecar-cache.ts';
import type { OpenDestination, StoredBackup } from './stored-backup.ts';

/** Enough to hide the way to a distant store; what is read is small. */
const usualReads = 32;

interface Reading {
  readonly on: OpenDestination;
  readonly signal?: AbortSignal;
  readonly cache?: SidecarCache;
}

interface Group {
  readonly key: string;
  readonly name?: ArtifactName;
  data?: StoredObject;
  sidecar?: StoredObject;
  state?: StoredObject;
}

/** All backups under `prefix` (a job's folder, or everything), in no order. Every sidecar and state is read. */
export async function listBackups(on: OpenDestination, prefix: string, signal?: AbortSignal): Promise<StoredBackup[]> {
  return readAll(on, prefix, { on, signal });
}

/**
 * The same for looking and choosing: a sidecar that the store lists as unchanged is not read again. Whoever goes on to
 * restore, verify or delete one of them reads it anew (`findBackup`).
 */
export async function surveyBackups(
  on: OpenDestination,
  prefix: string,
  signal?: AbortSignal,
): Promise<StoredBackup[]> {
  if (on.cache === undefined) return listBackups(on, prefix, signal);
  const cache = await SidecarCache.open(on.cache);
  const backups = await readAll(on, prefix, { on, signal, cache });
  await cache.save(prefix);
  return backups;
}

async function readAll(on: OpenDestination, prefix: string, reading: Reading): Promise<StoredBackup[]> {
  // Node warns of more than ten listeners; each read under way has one.
  if (reading.signal) setMaxListeners(0, reading.signal);
  const groups = [...(await groupObjects(on, prefix, reading.signal)).values()];
  const backups: StoredBackup[] = [];
  const worker = async () => {
    for (let group = groups.pop(); group; group = groups.pop()) backups.push(await readGroup(group, reading));
  };
  const { parallelReads = usualReads } = on.destination.capabilities;
  await Promise.all(Array.from({ length: parallelReads }, worker));
  return backups;
}

async function groupObjects(on: OpenDestination, prefix: string, signal?: AbortSignal): Promise<Map<string, Group>> {
  const groups = new Map<string, Group>();
  for await (const object of on.destination.list(prefix, { signal })) {
    const role = roleOf(object.key);
    const name = parseArtifactName(nameOf(role.dataKey));
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

/** Reads one backup by the key of its data object, whatever its name is: all at once, for a distant store answers slowly. */
export async function findBackup(on: OpenDestination, key: string, signal?: AbortSignal): Promise<StoredBackup> {
  const group = { key, name: parseArtifactName(nameOf(key)) };
  const contents = readBeside(on, key, signal);
  // Where the place cannot be reached at all, that is told by the look at the data.
  contents.catch(() => undefined);
  const data = await on.destination.stat(key);
  return describe({ ...group, data }, contents, { on, signal });
}

interface Contents {
  readonly sidecar?: Sidecar;
  readonly json?: unknown;
  readonly state?: BackupState;
}

async function readBeside(on: OpenDestination, key: string, signal?: AbortSignal): Promise<Contents> {
  const [sidecar, state] = await Promise.all([readFreshSidecar(on, key, signal), readState(on, key, signal)]);
  return { ...sidecar, state };
}

async function readFreshSidecar(on: OpenDestination, dataKey: string, signal?: AbortSignal) {
  const key = dataKey + sidecarExtension;
  const content = await ifThere(readObject(on.destination, key, sidecarLimit, signal));
  return content && parseSidecar(content, `${on.name}:${key}`);
}

async function readGroup(group: Group, reading: Reading): Promise<StoredBackup> {
  return describe(group, readListed(group, reading), reading);
}

async function readListed(group: Group, reading: Reading): Promise<Contents> {
  const sidecar = group.sidecar && (await readSidecar(group.sidecar, reading));
  const state = group.state && (await readParsed(group.state, stateLimit, parseState, reading));
  return { ...sidecar, state };
}

async function describe(group: Group, contents: Promise<Contents>, { on, signal }: Reading): Promise<StoredBackup> {
  const base = { on, key: group.key, name: group.name, object: group.data };
  try {
    const { sidecar, json, state } = await contents;
    return { ...base, sidecar, sidecarJson: json, state, ...judge(group, sidecar, state) };
  } catch (error) {
    signal?.throwIfAborted();
    return { ...base, condition: 'unreadable', problem: messageOf(error) };
  }
}

/** A survey goes without the JSON, which would be all of it a second time. */
async function readSidecar(object: StoredObject, reading: Reading): Promise<{ sidecar: Sidecar; json?: unknown }> {
  if (reading.cache === undefined) return readParsed(object, sidecarLimit, parseSidecar, reading);
  const parse = (content: Buffer, where: string) => parseSidecar(content, where).sidecar;
  return { sidecar: await readParsed(object, sidecarLimit, parse, reading) };
}

/** Only what has passed is remembered: checking ten thousand of them again would take longer than all else. */
async function readParsed<Value>(
  object: StoredObject,
  limit: number,
  parse: (content: Buffer, where: string) => Value,
  { on, signal, cache }: Reading,
): Promise<Value> {
  const known = cache?.get(object);
  if (known !== undefined) return known as Value;
  const content = await readObject(on.destination, object.key, limit, signal);
  const value = parse(content, `${on.name}:${object.key}`);
  cache?.set(object, content.length, value);
  return value;
}

function judge(
  group: Group,
  sidecar: Sidecar | undefined,
  state: BackupState | undefined,
): Pick<StoredBackup, 'condition' | 'problem'> {
  if (state?.deleting) return { condition: 'deleting', problem: 'its deletion was interrupted' };
  if (!sidecar) return { condition: 'orphan', problem: 'it has no sidecar' };
  if (!group.data) return { condition: 'missing', problem: 'its data object is gone' };
  const fileName = nameOf(group.key);
  if (sidecar.artifact.name !== fileName) {
    return { condition: 'damaged', problem: `its sidecar describes ${sidecar.artifact.name}` };
  }
  if (sidecar.artifact.storedBytes !== group.data.size) {
    const { storedBytes } = sidecar.artifact;
    return { condition: 'damaged', problem: `it has ${group.data.size} bytes, its sidecar says ${storedBytes}` };
  }
  return { condition: 'complete' };
}
