/** How old is the newest good backup of each job? Asked of the destinations, so that any monitor can watch the absence of backups. */
import type { Job } from '../config/config.ts';
import { messageOf } from '../errors.ts';
import { openDestination } from './open-adapter.ts';
import type { Runtime } from './runtime.ts';
import { surveyBackups } from './storage/list-backups.ts';
import { isDisproved, isGood, type StoredBackup, startedAt } from './storage/stored-backup.ts';

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
        const newest = newestOf(all.filter(isGood));
        const disproved = all.filter((each) => isDisproved(each) && startedAt(each).getTime() > (newest ?? 0)).length;
        const passedOver = disproved === 0 ? '' : ` (${disproved} newer failed the last verification)`;
        if (newest === undefined) return { ...about, fresh: false, problem: `there is no good backup${passedOver}` };
        const ageMs = now - newest;
        const problem = ageMs > maxAgeMs ? `the newest good backup is too old${passedOver}` : undefined;
        return { ...about, newest: new Date(newest).toISOString(), ageMs, fresh: problem === undefined, problem };
      } catch (error) {
        runtime.signal.throwIfAborted();
        return { ...about, fresh: false, problem: `it could not be read: ${messageOf(error)}` };
      }
    }),
  );
}

function newestOf(backups: readonly StoredBackup[]): number | undefined {
  return backups.map((each) => startedAt(each).getTime()).sort((a, b) => b - a)[0];
}
