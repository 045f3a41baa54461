/**
 * `<file>` on the command line: a local path, `destination:key`, a backup id or its first six digits, `job@latest` or
 * `job@<timestamp prefix>`. Destinations are asked in the job's order, then in the config's.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AdapterDefinition } from '../../config/config.ts';
import { assertKey } from '../../destination/key.ts';
import { DbBackupError } from '../../errors.ts';
import { nearest } from '../../value/nearest.ts';
import { openDestination, openLocalFile } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { findBackup, surveyBackups } from './list-backups.ts';
import { type PassedOver, preferOwn } from './prefer-own.ts';
import { describeBackup, isDisproved, isGood, isSuspect, type StoredBackup, startedAt } from './stored-backup.ts';

/** Throws BACKUP_NOT_FOUND with what was looked at, USAGE when an id is ambiguous. */
export async function resolveBackup(reference: string, runtime: Runtime): Promise<StoredBackup> {
  const path = resolve(runtime.workingFolder, reference);
  if ((await stat(path).catch(() => undefined))?.isFile()) {
    const { on, key } = openLocalFile(reference, runtime);
    return findBackup(on, key, runtime.signal);
  }
  const unsearched: Unsearched[] = [];
  return (
    (await byKey(reference, runtime)) ??
    (await byJob(reference, unsearched, runtime)) ??
    (await byId(reference, unsearched, runtime)) ??
    notFound(reference, unsearched, runtime)
  );
}

/** A destination that could not be asked; that another one has what was wanted may make it good. */
interface Unsearched {
  readonly name: string;
  readonly error: unknown;
}

async function byKey(reference: string, runtime: Runtime): Promise<StoredBackup | undefined> {
  const colon = reference.indexOf(':');
  const definition = colon > 0 ? runtime.config?.destinations.get(reference.slice(0, colon)) : undefined;
  if (!definition) return undefined;
  const key = reference.slice(colon + 1);
  assertKey(key);
  const backup = await findBackup(await openDestination(definition, runtime), key, runtime.signal);
  return backup.object || backup.sidecar ? backup : undefined;
}

/**
 * A destination that cannot be asked may hold what is `latest`: then nothing behind it is taken for it. Only where nothing
 * is found at all does it not matter that some place, which the job does not use, could not be asked.
 */
async function byJob(reference: string, unsearched: Unsearched[], runtime: Runtime): Promise<StoredBackup | undefined> {
  const at = reference.lastIndexOf('@');
  if (at < 1) return undefined;
  const [job, when] = [reference.slice(0, at), reference.slice(at + 1)];
  const wanted = when === 'latest' ? '' : when.replace(/[:.]/g, '-');
  const { found, damaged, other } = await newestOf(job, wanted, unsearched, runtime);
  if (damaged && !(found && isNewer(found, damaged)))
    passOver({ backup: damaged, why: 'failed its last verification' }, found, reference, runtime);
  else if (other && found && isNewer(other.backup, found)) passOver(other, found, reference, runtime);
  return found && findBackup(found.on, found.key, runtime.signal);
}

/** What is known to be damaged at one destination may be whole at the next. */
async function newestOf(
  job: string,
  wanted: string,
  unsearched: Unsearched[],
  runtime: Runtime,
): Promise<{ readonly found?: StoredBackup; readonly damaged?: StoredBackup; readonly other?: PassedOver }> {
  let found: StoredBackup | undefined;
  let damaged: StoredBackup | undefined;
  let other: PassedOver | undefined;
  for (const definition of destinationsFor(job, runtime)) {
    const backups = await survey(definition, `${job}/`, unsearched, runtime);
    if (backups === undefined && isOwn(definition, job, runtime)) throw unsearched.at(-1)?.error;
    const matches = (backups ?? []).filter((each) => isMatch(each, job, wanted));
    const { chosen, passedOver } = await preferOwn(matches.filter(isGood), job, runtime);
    found = newest(found, chosen);
    other = newerOf(other, passedOver);
    damaged = newest(damaged, matches.filter(isDisproved));
    if ((found || damaged) && unsearched[0]) throw unsearched[0].error;
    if (found && !(damaged && isNewer(damaged, found))) break;
  }
  return { found, damaged, other };
}

function isNewer(one: StoredBackup, other: StoredBackup): boolean {
  return startedAt(one).getTime() > startedAt(other).getTime();
}

function newerOf(one: PassedOver | undefined, other: PassedOver | undefined): PassedOver | undefined {
  return one && other ? (isNewer(other.backup, one.backup) ? other : one) : (one ?? other);
}

/** A signed backup of another job, copied into this job's folder, is whole and yet not what was asked for. */
function isMatch(backup: StoredBackup, job: string, wanted: string): boolean {
  const { sidecar, name, condition } = backup;
  if (condition !== 'complete' || isSuspect(backup) || sidecar?.job.name !== job) return false;
  return wanted === '' || (name?.startedAt.toISOString().replace(/[:.]/g, '-').startsWith(wanted) ?? false);
}

/** Of equal ones the first, which lies at an earlier destination. */
function newest(first: StoredBackup | undefined, others: readonly StoredBackup[]): StoredBackup | undefined {
  return others.reduce((best, each) => (best && !isNewer(each, best) ? best : each), first);
}

/** Throws BACKUP_NOT_FOUND where nothing better is left. */
function passOver(
  { backup, why: reason }: PassedOver,
  chosen: StoredBackup | undefined,
  reference: string,
  runtime: Runtime,
): void {
  const why = `${describeBackup(backup)} ${reason}`;
  const hint = `Name it by its id (${backup.sidecar?.id.slice(0, 6)}) to use it nevertheless.`;
  if (chosen === undefined)
    throw new DbBackupError('BACKUP_NOT_FOUND', `no good backup "${reference}": ${why}`, { hint });
  const text = `${why}; ${reference} is ${describeBackup(chosen)}. ${hint}`;
  runtime.emit({ type: 'log', executionId: '', kind: 'restore', subject: reference, level: 'warning', text });
}

async function survey(
  definition: AdapterDefinition,
  prefix: string,
  unsearched: Unsearched[],
  runtime: Runtime,
): Promise<StoredBackup[] | undefined> {
  try {
    return await surveyBackups(await openDestination(definition, runtime), prefix, runtime.signal);
  } catch (error) {
    runtime.signal.throwIfAborted();
    unsearched.push({ name: definition.name, error });
    return undefined;
  }
}

function isOwn(definition: AdapterDefinition, job: string, { config }: Runtime): boolean {
  return config?.jobs.get(job)?.destinations.some((each) => each.name === definition.name) ?? false;
}

async function byId(reference: string, unsearched: Unsearched[], runtime: Runtime): Promise<StoredBackup | undefined> {
  if (!/^[0-9a-f]{6}[0-9a-f-]*$/i.test(reference)) return undefined;
  const wanted = reference.toLowerCase();
  for (const definition of runtime.config?.destinations.values() ?? []) {
    const backups = await survey(definition, '', unsearched, runtime);
    const matches = (backups ?? []).filter((each) => (each.sidecar?.id ?? each.name?.id6 ?? '').startsWith(wanted));
    if (matches.length > 1) throw ambiguous(reference, matches);
    // Another copy of it may lie where nobody could look, and that one would have been meant.
    if (matches[0] && unsearched[0]) throw unsearched[0].error;
    if (matches[0]) return findBackup(matches[0].on, matches[0].key, runtime.signal);
  }
  return undefined;
}

function destinationsFor(job: string, runtime: Runtime): readonly AdapterDefinition[] {
  const all = [...(runtime.config?.destinations.values() ?? [])];
  const own = runtime.config?.jobs.get(job)?.destinations ?? [];
  return [...own, ...all.filter((each) => !own.some((first) => first.name === each.name))];
}

function ambiguous(reference: string, matches: readonly StoredBackup[]): DbBackupError {
  const names = matches.map((each) => `  ${each.sidecar?.id ?? ''} ${each.key}`).join('\n');
  return new DbBackupError('USAGE', `"${reference}" names ${matches.length} backups:\n${names}`, {
    hint: 'Give more digits of the id, or destination:key.',
  });
}

function notFound(reference: string, unsearched: readonly Unsearched[], runtime: Runtime): never {
  const failed = new Set(unsearched.map(({ name }) => name));
  const all = [...(runtime.config?.destinations.keys() ?? [])];
  const places = all.filter((name) => !failed.has(name));
  // Where nothing could be asked, that is the news.
  if (failed.size > 0 && places.length === 0) throw unsearched[0]?.error;
  const without = failed.size > 0 ? `; could not be asked: ${[...failed].join(', ')}` : '';
  const searched =
    all.length > 0 ? `searched ${places.join(', ')}${without}` : 'no config, so only local files were searched';
  throw new DbBackupError('BACKUP_NOT_FOUND', `no backup "${reference}" (${searched})`, {
    hint: `${nearMiss(reference, runtime)}dbbackup list shows what there is. Name a backup by path, destination:key, id, job@latest or job@2026-11-20.`,
  });
}

/** What of the reference names nothing: the job or the destination; or a job that has no such backup. */
function nearMiss(reference: string, { config }: Runtime): string {
  const at = reference.lastIndexOf('@');
  if (at > 0) {
    const [job, when] = [reference.slice(0, at), reference.slice(at)];
    if (config?.jobs.has(job)) return `dbbackup run ${job} makes one. `;
    const meant = nearest(job, [...(config?.jobs.keys() ?? [])]);
    return meant === undefined ? '' : `Did you mean "${meant}${when}"? `;
  }
  const name = /^([^:/]+)(?=:[^/])/.exec(reference)?.[0];
  const isKnown = name === undefined || config?.destinations.has(name);
  const meant = isKnown ? undefined : nearest(name, [...(config?.destinations.keys() ?? [])]);
  return meant === undefined ? '' : `Did you mean "${meant}${reference.slice(name?.length)}"? `;
}
