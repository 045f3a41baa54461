/** Does what was installed for this config still say what the config says? Who starts nothing here has nothing to hear. */

import { existsSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { explain } from '../../errors.ts';
import { type Finding, info, ok, warn } from '../../finding.ts';
import { blockIn, crontabSchedules } from '../../schedule/crontab.ts';
import { onCalendar } from '../../schedule/on-calendar.ts';
import { cronOf } from '../../schedule/schedule.ts';
import { unitName } from '../../schedule/systemd.ts';
import { plural } from '../../value/figure.ts';
import type { Runtime } from '../runtime.ts';
import { hasCrontab, readCrontab } from '../schedule/crontab-program.ts';
import { type JobWithSchedule, scheduledJobs } from '../schedule/scheduled-jobs.ts';
import { isOurs, readUnits, unitFolder } from '../schedule/unit-folder.ts';

const renew = 'dbbackup schedule install brings it up to date, dbbackup schedule remove takes it away.';

export async function* checkInstalled(config: Config, runtime: Runtime): AsyncGenerator<Finding> {
  const jobs = scheduledJobs(config);
  const crontab = await crontabFinding(jobs, config, runtime);
  const units = await unitFindings(jobs, config);
  yield* [...crontab, ...units];
  if (jobs.length > 0 && crontab.length + units.length === 0) {
    yield info(
      'neither the crontab of this user nor systemd starts its jobs (dbbackup schedule install); a daemon or a cluster may',
    );
  }
}

async function crontabFinding(
  jobs: readonly JobWithSchedule[],
  config: Config,
  { signal }: Runtime,
): Promise<Finding[]> {
  if (!(await hasCrontab())) return [];
  const crontab = await readCrontab(signal).catch((error) => {
    signal.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  });
  // Not everybody may have one (cron.allow).
  if (typeof crontab !== 'string') return [info(`the crontab cannot be read: ${explain(crontab)}`)];
  const block = blockIn(crontab, config.file);
  if (block === undefined) return [];
  const installed = crontabSchedules(block);
  const wanted = new Map(jobs.map((job) => [job.name, cronOf(job.schedule)]));
  const program = installed.find(({ program: each }) => !existsSync(each))?.program;
  if (program !== undefined) return [warn(`the crontab starts ${program}, which is not there`, renew)];
  const differ =
    installed.length !== wanted.size || installed.some(({ job, expression }) => wanted.get(job) !== expression);
  if (differ) return [warn('the crontab is out of date: it has other jobs or times than the config', renew)];
  return [ok(`the crontab starts ${plural(installed.length, 'job')}`)];
}

async function unitFindings(jobs: readonly JobWithSchedule[], config: Config): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const scope of ['system', 'user'] as const) {
    const folder = unitFolder(scope, process.env);
    const units = (await readUnits(folder)).filter((unit) => isOurs(unit, config.file));
    const timers = units.filter(({ name }) => name.endsWith('.timer'));
    if (timers.length === 0) continue;
    const isCurrent = (job: JobWithSchedule) => {
      const timer = timers.find(({ name }) => name === `${unitName(job.name)}.timer`);
      const calendar = [...(timer?.content.matchAll(/^OnCalendar=(.*)$/gm) ?? [])].map(([, text]) => text);
      const expression = cronOf(job.schedule);
      return expression !== undefined && onCalendar(expression, job.schedule.timezone).join() === calendar.join();
    };
    const current = timers.length === jobs.length && jobs.every(isCurrent);
    found.push(
      current
        ? ok(`${folder.path} has the timers of ${plural(timers.length, 'job')}`)
        : warn(`${folder.path} is out of date: its timers are of other jobs or times than the config`, renew),
    );
  }
  return found;
}
