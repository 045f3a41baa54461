/** `job@latest` and `job@<timestamp prefix>`: the newest good backup, of the job's own source where there is one. */
import type { AdapterDefinition } from '../../config/config.ts';
import { DbBackupError } from '../../errors.ts';
import type { Runtime } from '../runtime.ts';
import { findBackup } from './list-backups.ts';
import { type PassedOver, preferOwn, whyForeign } from './prefer-own.ts';
import { describeBackup, isDisproved, isGood, isSuspect, type StoredBackup, startedAt } from './stored-backup.ts';
import { survey, type Unsearched } from './survey.ts';

/**
 * A destination that cannot be asked may hold what is `latest`: then nothing behind it is taken for it. Only where nothing
 * is found at all does it not matter that some place, which the job does not use, could not be asked.
 */
export async function findByJob(
  reference: string,
  unsearched: Unsearched[],
  runtime: Runtime,
): Promise<StoredBackup | undefined> {
  const at = reference.lastIndexOf('@');
  if (at < 1) return undefined;
  const [job, when] = [reference.slice(0, at), reference.slice(at + 1)];
  const wanted = when === 'latest' ? '' : when.replace(/[:.]/g, '-');
  const { found: own, damaged, passedOver, foreign } = await newestOf(job, wanted, unsearched, runtime);
  const found = own ?? foreign;
  const other = own && foreign ? newerOf(passedOver, { backup: foreign, why: whyForeign(foreign) }) : passedOver;
  if (damaged && !(found && isNewer(found, damaged)))
    passOver({ backup: damaged, why: 'failed its last verification' }, found, reference, runtime);
  else if (other && found && isNewer(other.backup, found)) passOver(other, found, reference, runtime);
  if (found && found === foreign)
    tell(`${describeBackup(found)} ${whyForeign(found)}: there is none of this job's own source`, reference, runtime);
  return found && findBackup(found.on, found.key, runtime.signal);
}

/** The newest of each kind that was met so far. */
interface Met {
  found?: StoredBackup;
  damaged?: StoredBackup;
  /** Newer, and for some reason not counted. */
  passedOver?: PassedOver;
  /** Of another source than the job's: taken only where nothing else is found. */
  foreign?: StoredBackup;
}

/**
 * What is known to be damaged at one destination may be whole at the next, and where one has only what another machine
 * has made, the next of the job may have its own.
 */
async function newestOf(job: string, wanted: string, unsearched: Unsearched[], runtime: Runtime): Promise<Met> {
  const met: Met = {};
  for (const definition of destinationsFor(job, runtime)) {
    const isOfJob = isDestinationOf(job, definition, runtime);
    if (met.foreign && !isOfJob) break;
    const backups = await survey(definition, `${job}/`, unsearched, runtime);
    if (backups === undefined && isOfJob && !met.foreign) throw unsearched.at(-1)?.error;
    await meet(met, backups?.filter((each) => isMatch(each, job, wanted)) ?? [], job, runtime);
    if ((met.found || met.damaged) && unsearched[0]) throw unsearched[0].error;
    if (isSettled(met)) break;
  }
  return met;
}

function isSettled({ found, damaged }: Met): boolean {
  return found !== undefined && !(damaged && isNewer(damaged, found));
}

async function meet(met: Met, matches: readonly StoredBackup[], job: string, runtime: Runtime): Promise<void> {
  const { chosen, passedOver, isForeign } = await preferOwn(matches.filter(isGood), job, runtime);
  const kind = isForeign ? 'foreign' : 'found';
  met[kind] = newest(met[kind], chosen);
  met.passedOver = newerOf(met.passedOver, passedOver);
  met.damaged = newest(met.damaged, matches.filter(isDisproved));
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
  tell(`${why}; ${reference} is ${describeBackup(chosen)}. ${hint}`, reference, runtime);
}

function tell(text: string, reference: string, runtime: Runtime): void {
  runtime.emit({ type: 'log', executionId: '', kind: 'restore', subject: reference, level: 'warning', text });
}

function destinationsFor(job: string, runtime: Runtime): readonly AdapterDefinition[] {
  const all = [...(runtime.config?.destinations.values() ?? [])];
  const own = runtime.config?.jobs.get(job)?.destinations ?? [];
  return [...own, ...all.filter((each) => !own.some((first) => first.name === each.name))];
}

function isDestinationOf(job: string, definition: AdapterDefinition, { config }: Runtime): boolean {
  return config?.jobs.get(job)?.destinations.some((each) => each.name === definition.name) ?? false;
}
