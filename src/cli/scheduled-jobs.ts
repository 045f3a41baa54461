/** What the commands of `schedule` share: which jobs, and what to say before they are handed over. */
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { DbBackupError } from '../errors.ts';
import type { JobWithSchedule } from '../operation/schedule/scheduled-jobs.ts';
import type { UnitScope } from '../schedule/systemd.ts';
import type { App, GlobalOptions } from './app.ts';
import { formatTimeIn } from './format.ts';
import type { Output } from './output.ts';

const addOne = 'Add one to a job: schedule: { cron: "0 3 * * *" }, or { every: 6h }.';

/** The config, with what it was read from. Throws CONFIG_INVALID with all its problems. */
export async function readScheduleConfig(app: App, options: GlobalOptions) {
  const { loadConfig, readConfig } = await import('../config/load.ts');
  const request = { named: options.config, cwd: app.workingFolder, env: app.env, catalog: await app.loadCatalog() };
  const { raw, config } = await readConfig(request);
  // The same again, for its error with all problems.
  return { raw, config: config ?? (await loadConfig(request)) };
}

/** Throws USAGE for a job that is unknown or has no schedule. */
export async function chooseScheduled(names: readonly string[], config: Config): Promise<readonly JobWithSchedule[]> {
  const { scheduledJobs } = await import('../operation/schedule/scheduled-jobs.ts');
  const { choiceHint } = await import('../operation/choice-hint.ts');
  const jobs = scheduledJobs(config);
  if (names.length === 0) return jobs;
  return [...new Set(names)].map((name) => {
    const job = jobs.find((each) => each.name === name);
    if (job !== undefined) return job;
    const known = config.jobs.has(name);
    const message = known ? `job ${name} has no schedule, or is disabled` : `no job "${name}" in ${config.file}`;
    throw new DbBackupError('USAGE', message, {
      hint: known ? addOne : choiceHint(name, config.jobs.keys()),
    });
  });
}

/** All of them, at least one. Throws USAGE. */
export async function chooseSomeScheduled(names: readonly string[], config: Config) {
  const jobs = await chooseScheduled(names, config);
  if (jobs.length > 0) return jobs;
  throw new DbBackupError('USAGE', `no enabled job of ${config.file} has a schedule`, { hint: addOne });
}

/** Of units of systemd. */
export function scopeOf({ user }: { readonly user?: boolean }): UnitScope {
  return user || process.getuid?.() !== 0 ? 'user' : 'system';
}

/** cron and systemd give a run nothing of what a shell has. */
export async function warnOfVariables(
  jobs: readonly JobWithSchedule[],
  config: Config,
  format: 'crontab' | 'systemd',
  envFile: string | undefined,
  app: App,
  output: Output,
): Promise<void> {
  const { missingVariables } = await import('./missing-variables.ts');
  const files = environmentFiles(format, envFile, app.workingFolder);
  for (const { name, place } of await missingVariables(jobs, config, files)) {
    output.warn(
      `${name}, which ${place} needs, is not in the environment of a scheduled run: put it into a file and name that with --env-file, or refer to a secret file in the config (\${file:path})`,
    );
  }
}

/** What gives variables to a scheduled run. cron's sessions read /etc/environment (pam_env), systemd's services do not. */
export function environmentFiles(
  format: 'crontab' | 'systemd',
  envFile: string | undefined,
  workingFolder: string,
): readonly string[] {
  const ofMachine = format === 'crontab' ? ['/etc/environment'] : [];
  return envFile === undefined ? ofMachine : [...ofMachine, resolve(workingFolder, envFile)];
}

/** systemd and Kubernetes leave out what cron makes up for. */
export async function remarkSkippedTimes(jobs: readonly JobWithSchedule[], output: Output): Promise<void> {
  const { skippedTime } = await import('../schedule/skipped-time.ts');
  for (const { name, schedule } of jobs) {
    const at = skippedTime(schedule, new Date());
    if (at === undefined) continue;
    output.say(
      `${name}: on ${formatTimeIn(at, schedule.timezone).slice(0, 10)} the clocks skip its time, and there will be no run; choose another hour if that matters`,
    );
  }
}
