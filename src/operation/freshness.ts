/** How old is the newest good backup of each job? Asked of the destinations, so that any monitor can watch the absence of backups. */
import type { Job } from '../config/config.ts';
import { explain, messageOf } from '../errors.ts';
import { plural } from '../value/figure.ts';
import { openDestination } from './open-adapter.ts';
import { areOfSeveralSources, isOwn } from './retention/candidate.ts';
import { ownFingerprint } from './retention/own-fingerprint.ts';
import type { Runtime } from './runtime.ts';
import { surveyBackups } from './storage/list-backups.ts';
import { isAhead, isDisproved, isGood, type StoredBackup, startedAt, whyAhead } from './storage/stored-backup.ts';

export interface Freshness {
  readonly job: string;
  readonly destination: string;
  /** ISO 8601; undefined when there is none, or when nobody could look. */
  readonly newest?: string;
  readonly ageMs?: number;
  readonly fresh: boolean;
  /** Why it is not fresh. */
  readonly problem?: string;
}

/** For each job and each of its destinations: a copy that is missing off-site is a missing copy. */
export async function checkFreshness(
  jobs: readonly Job[],
  maxAgeMs: number,
  runtime: Runtime,
  now = Date.now(),
): Promise<readonly Freshness[]> {
  const places = jobs.flatMap((job) => job.destinations.map((definition) => ({ job, definition })));
  return Promise.all(
    places.map(async ({ job, definition }): Promise<Freshness> => {
      const about = { job: job.name, destination: definition.name };
      try {
        const on = await openDestination(definition, runtime);
        const all = await surveyBackups(on, `${job.name}/`, runtime.signal);
        return { ...about, ...judge(await choose(all, job, now, runtime), maxAgeMs, now) };
      } catch (error) {
        runtime.signal.throwIfAborted();
        return { ...about, fresh: false, problem: `it could not be read: ${messageOf(error)}` };
      }
    }),
  );
}

interface Choice {
  /** Start of the newest that counts, in ms. */
  readonly newest: number | undefined;
  /** Newer ones that do not count, and why. */
  readonly passedOver: readonly string[];
}

function judge({ newest, passedOver }: Choice, maxAgeMs: number, now: number): Omit<Freshness, 'job' | 'destination'> {
  const besides = passedOver.length === 0 ? '' : ` (newer, not counted: ${passedOver.join(', ')})`;
  if (newest === undefined) return { fresh: false, problem: `there is no good backup${besides}` };
  const ageMs = now - newest;
  const problem = ageMs > maxAgeMs ? `the newest good backup is too old${besides}` : undefined;
  return { newest: new Date(newest).toISOString(), ageMs, fresh: problem === undefined, problem };
}

/**
 * Another machine's backups under this job's name, and those of a clock that was ahead, would look fresh for as long as
 * they are there, while nothing of this job arrives.
 */
async function choose(all: readonly StoredBackup[], job: Job, now: number, runtime: Runtime): Promise<Choice> {
  const present = all.filter((each) => isGood(each) && !isAhead(each, now));
  const own = await ownOf(present, job, runtime);
  const newest = own.map((each) => startedAt(each).getTime()).sort((a, b) => b - a)[0];
  const count = (backups: readonly StoredBackup[], why: string) => {
    const newer = backups.filter((each) => startedAt(each).getTime() > (newest ?? 0)).length;
    return newer === 0 ? [] : [`${plural(newer, 'backup')} ${why}`];
  };
  const passedOver = [
    ...count(all.filter(isDisproved), 'that failed the last verification'),
    ...count(
      present.filter((each) => !own.includes(each)),
      'of another source',
    ),
    ...count(
      all.filter((each) => isGood(each) && isAhead(each, now)),
      whyAhead,
    ),
  ];
  return { newest, passedOver };
}

/**
 * All where they are of one source: the monitor may be another machine, where a local path is another source, or have
 * no secrets of the source. Throws when it is needed and cannot be told which source is the job's.
 */
async function ownOf(good: readonly StoredBackup[], job: Job, runtime: Runtime): Promise<readonly StoredBackup[]> {
  if (!areOfSeveralSources(good)) return good;
  const fingerprint = await ownFingerprint(job, runtime).catch((error: unknown) => {
    throw new Error(`backups of several sources lie there, and which is the job's is not known: ${explain(error)}`);
  });
  return good.filter((each) => isOwn(each, fingerprint));
}
