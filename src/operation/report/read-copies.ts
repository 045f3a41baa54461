/** What one destination has of a job, and what retention will do there. Its failure is told, and hides nothing else. */
import type { AdapterDefinition, Job } from '../../config/config.ts';
import { DbBackupError, explain, messageOf } from '../../errors.ts';
import { redact } from '../../redact.ts';
import { describeRules } from '../../retention/describe-rules.ts';
import { forecast } from '../../retention/forecast.ts';
import { plan } from '../../retention/plan.ts';
import { keepsEverything, type RetentionRules } from '../../retention/retention.ts';
import { openDestination } from '../open-adapter.ts';
import { bearsNameOf, type Candidate, toCandidates } from '../retention/candidate.ts';
import { comingRuns } from '../retention/coming-runs.ts';
import { ownFingerprint } from '../retention/own-fingerprint.ts';
import type { Runtime } from '../runtime.ts';
import { surveyBackups } from '../storage/list-backups.ts';
import {
  isDisproved,
  isGood,
  isSuspect,
  type OpenDestination,
  type StoredBackup,
  startedAt,
} from '../storage/stored-backup.ts';
import {
  type CopyOfBackup,
  type CopyReport,
  type Deletion,
  type Holdings,
  outlookDays,
  type RetentionOutlook,
} from './report.ts';

export interface Copies extends CopyReport {
  /** What was found, for runs that the history does not know. */
  readonly backups: readonly StoredBackup[];
}

/**
 * Asks each destination for one job after the other: its adapter reads many sidecars at a time as it is. One that cannot
 * be reached, after the adapter's own retries, is not asked again.
 */
export class CopyReader {
  readonly #runtime: Runtime;
  readonly #now: Date;
  readonly #open = new Map<string, Promise<OpenDestination>>();
  /** Name of the destination → the reading that is under way, or the last. */
  readonly #turns = new Map<string, Promise<Copies>>();
  readonly #unreachable = new Map<string, string>();

  constructor(runtime: Runtime, now: Date) {
    this.#runtime = runtime;
    this.#now = now;
  }

  /** @param config of the job; undefined when there is none any more, which is no reason to hide its backups */
  read(name: string, definition: AdapterDefinition, config: Job | undefined): Promise<Copies> {
    const before = this.#turns.get(definition.name);
    const reading = (async () => {
      await before?.catch(() => undefined);
      return this.#readNow(name, definition, config);
    })();
    this.#turns.set(definition.name, reading);
    return reading;
  }

  async #readNow(name: string, definition: AdapterDefinition, config: Job | undefined): Promise<Copies> {
    const about = { destination: definition.name, type: definition.type };
    const known = this.#unreachable.get(definition.name);
    if (known !== undefined) return { ...about, backups: [], problem: known };
    try {
      this.#runtime.signal.throwIfAborted();
      const on = await this.#opened(definition);
      const all = await surveyBackups(on, `${name}/`, this.#runtime.signal);
      const backups = all.filter((backup) => bearsNameOf(name, backup));
      const retention = await this.#outlook(backups, config, definition.name);
      return { ...about, backups, holdings: holdingsOf(backups, retention) };
    } catch (error) {
      this.#runtime.signal.throwIfAborted();
      const problem = `it could not be read: ${redact(explain(error))}`;
      if (error instanceof DbBackupError && error.retryable) this.#unreachable.set(definition.name, problem);
      return { ...about, backups: [], problem };
    }
  }

  #opened(definition: AdapterDefinition): Promise<OpenDestination> {
    const opening = this.#open.get(definition.name) ?? openDestination(definition, this.#runtime);
    this.#open.set(definition.name, opening);
    return opening;
  }

  async #outlook(backups: readonly StoredBackup[], job: Job | undefined, on: string): Promise<RetentionOutlook> {
    const rules = job?.retention.get(on) ?? {};
    const complete = backups.filter(({ condition }) => condition === 'complete').length;
    if (job === undefined || keepsEverything(rules)) return { keptNow: complete, deletions: [] };
    const told = { rules: describeRules(rules) };
    try {
      const candidates = toCandidates(backups, await ownFingerprint(job, this.#runtime));
      return { ...told, ...lookAhead(candidates, rules, this.#now, comingRuns(job, candidates, this.#now)) };
    } catch (error) {
      return { ...told, keptNow: complete, deletions: [], problem: redact(messageOf(error)) };
    }
  }
}

function lookAhead(
  candidates: readonly Candidate[],
  rules: RetentionRules,
  now: Date,
  runs: ReturnType<typeof comingRuns>,
) {
  const kept = plan(candidates, rules, now).filter(({ action }) => action === 'keep');
  const coming = forecast(candidates, rules, now, outlookDays, runs);
  const deletions = coming.map(
    ({ at, backup }): Deletion => ({
      at,
      due: at.getTime() <= now.getTime(),
      backupId: backup.stored.sidecar?.id,
      startedAt: backup.startedAt,
      storedBytes: backup.stored.object?.size,
    }),
  );
  return { keptNow: kept.length, deletions };
}

function holdingsOf(backups: readonly StoredBackup[], retention: RetentionOutlook): Holdings {
  const complete = backups.filter(({ condition }) => condition === 'complete');
  const count = (test: (backup: StoredBackup) => boolean) => backups.filter(test).length;
  const good = complete.filter(isGood);
  good.sort((a, b) => startedAt(b).getTime() - startedAt(a).getTime());
  return {
    backups: complete.length,
    storedBytes: complete.reduce((sum, { object }) => sum + (object?.size ?? 0), 0),
    suspect: complete.filter(isSuspect).length,
    locked: count(({ state }) => state?.locked !== undefined),
    damaged: count((backup) => backup.condition !== 'complete' || isDisproved(backup)),
    lastGood: good[0] && copyOf(good[0]),
    retention,
  };
}

function copyOf(backup: StoredBackup): CopyOfBackup | undefined {
  const { sidecar, key, state } = backup;
  if (sidecar === undefined) return undefined;
  const { rawBytes, storedBytes } = sidecar.artifact;
  const verified = state?.verifications.at(-1);
  const verifiedAt = verified?.result === 'passed' ? new Date(verified.at) : undefined;
  return { backupId: sidecar.id, key, at: startedAt(backup), rawBytes, storedBytes, verifiedAt };
}
