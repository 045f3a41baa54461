/** What a job says, or leaves out. Nothing here keeps it from running. */
import type { Job } from '../../config/config.ts';
import { type Finding, info, ok, warn } from '../../finding.ts';
import { type RetentionRules, tiers } from '../../retention/retention.ts';
import { nextRun } from '../../schedule/next-run.ts';
import { describeSchedule } from '../../schedule/schedule.ts';
import { skippedTime } from '../../schedule/skipped-time.ts';
import { fewest } from '../anomaly/judge.ts';

export async function* checkJobSettings(job: Job): AsyncGenerator<Finding> {
  if (!job.enabled) yield info('disabled: it runs only when it is named');
  const away = job.destinations.filter((each) => each.type !== 'local');
  if (job.destinations.length === 1) yield info('one copy only: a second destination, better elsewhere, survives more');
  else yield ok(`${job.destinations.length} copies`);
  if (away.length > 0 && job.encryption === undefined) {
    const names = away.map((each) => each.name).join(', ');
    yield warn(`it stores unencrypted at ${names}`, 'Add `encryption` to the job; `dbbackup keygen` makes a key.');
  }
  const kept = job.destinations.filter((each) => !job.retention.has(each.name)).map((each) => each.name);
  if (kept.length > 0) yield info(`no retention at ${kept.join(', ')}: everything is kept there`);
  if (job.anomaly && job.destinations.every(({ name }) => keepsAtMost(job.retention.get(name)) < fewest)) {
    yield info(`retention keeps fewer than ${fewest} backups, too few for the anomaly guard to compare with`);
  }
  yield* scheduleOf(job);
  if (job.notify.length === 0) yield info('nobody is told when it fails (`notify`)');
}

/** Locked ones and the like aside. */
function keepsAtMost(rules: RetentionRules | undefined): number {
  if (rules === undefined || rules.withinMs !== undefined) return Number.POSITIVE_INFINITY;
  const counts = tiers.reduce((sum, tier) => sum + (rules[tier] ?? 0), 0);
  return Math.max(counts, rules.minimum ?? 1);
}

function* scheduleOf({ schedule, retention, enabled }: Job): Generator<Finding> {
  if (schedule === undefined) {
    if (retention.size > 0 && enabled) yield info('retention, but no `schedule`: it runs only when somebody runs it');
    return;
  }
  const now = new Date();
  yield ok(`runs ${describeSchedule(schedule)}, next ${nextRun(schedule, now)?.toISOString() ?? 'never'}`);
  const skipped = skippedTime(schedule, now);
  if (skipped !== undefined) {
    yield info(
      `the clocks skip its time on ${skipped.toISOString().slice(0, 10)}: cron and the daemon run it a little later, systemd and Kubernetes not at all`,
    );
  }
}
