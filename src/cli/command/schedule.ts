import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { DbBackupError } from '../../errors.ts';
import type { SchedulePlan } from '../../operation/schedule/schedule-plan.ts';
import type { JobWithSchedule } from '../../operation/schedule/scheduled-jobs.ts';
import type { UnitScope } from '../../schedule/systemd.ts';
import type { App, GlobalOptions } from '../app.ts';
import { type CommandContext, newCommand, oneOf, positiveInteger, runAction } from '../command.ts';
import { formatTable, formatTimeIn } from '../format.ts';
import type { Output } from '../output.ts';

const machines = ['crontab', 'systemd'] as const;
const formats = [...machines, 'kubernetes'] as const;

interface InstallFlags {
  readonly format?: string;
  readonly user?: boolean;
  readonly envFile?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

interface ExportFlags {
  readonly format: string;
  readonly user?: boolean;
  readonly envFile?: string;
  readonly output?: string;
  readonly image?: string;
  readonly namespace?: string;
  readonly secret: string;
}

export function scheduleCommand(context: CommandContext): Command {
  return newCommand('schedule')
    .description('when jobs run, and who starts them: cron, systemd timers or Kubernetes')
    .addCommand(showCommand(context))
    .addCommand(installCommand(context))
    .addCommand(removeCommand(context))
    .addCommand(exportCommand(context));
}

function showCommand(context: CommandContext): Command {
  return newCommand('show')
    .description('the next times of jobs, each in its own timezone')
    .argument('[job...]', 'only these; otherwise every job with a schedule')
    .option('--count <n>', 'so many times of each', positiveInteger, 3)
    .addHelpText('after', '\nExamples:\n  $ dbbackup schedule show\n  $ dbbackup schedule show example --count 10')
    .action(
      runAction<{ count: number }>(context, async ({ args, options }, output) => {
        const { describeSchedule } = await import('../../schedule/schedule.ts');
        const { nextRuns } = await import('../../schedule/next-run.ts');
        const { config } = await configOf(context.app, options, output);
        const jobs = await chosen(args, config);
        const now = new Date();
        const found = jobs.map((job) => ({ job, runs: nextRuns(job.schedule, now, options.count) }));
        const json = found.map(({ job: { name, schedule }, runs }) => ({ job: name, schedule, next: runs }));
        output.result({ jobs: json }, () => {
          if (found.length === 0) return 'no enabled job has a schedule';
          const rows = found.flatMap(({ job, runs }) =>
            runs.map((at, index) => [
              index === 0 ? job.name : '',
              index === 0 ? describeSchedule(job.schedule) : '',
              formatTimeIn(at, job.schedule.timezone),
            ]),
          );
          return formatTable(['JOB', 'SCHEDULE', 'NEXT RUNS'], rows);
        });
      }),
    );
}

function installCommand(context: CommandContext): Command {
  return newCommand('install')
    .description('have cron or systemd start every job that has a schedule; again after each change of the config')
    .option('--format <format>', `${machines.join(' or ')}; without it: crontab`)
    .option('--user', "systemd: the user's own manager, for root too")
    .option('--env-file <file>', 'NAME=value lines, read before each run: what the config takes from variables')
    .option('--dry-run', 'show what would change')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', installExamples)
    .action(
      runAction<InstallFlags>(context, async ({ options }, output) => {
        const format = oneOf(options.format ?? 'crontab', machines, '--format');
        const { config } = await configOf(context.app, options, output);
        const jobs = await chosen([], config);
        if (jobs.length === 0) throw nothingScheduled(config);
        await warnOfVariables(jobs, config, options.envFile, context.app, output);
        const plan = await planOf(format, jobs, config, options, context.app, output);
        if (format === 'systemd') await remarkSkippedTimes(jobs, output);
        await carryOut(plan, options, context.app, output);
      }),
    );
}

const installExamples = `
The crontab gets one block between two marks, everything else in it stays. systemd gets a service and a timer for each
job: in /etc/systemd/system for root, else in ~/.config/systemd/user.

Examples:
  $ dbbackup schedule install --dry-run
  $ dbbackup schedule install --env-file /etc/dbbackup/env
  $ dbbackup schedule install --format systemd --yes`;

function removeCommand(context: CommandContext): Command {
  return newCommand('remove')
    .description('take away what install has made for this config, and nothing else')
    .option('--format <format>', `only ${machines.join(' or ')}; without it: both`)
    .option('--user', "systemd: the user's own manager, for root too")
    .option('--dry-run', 'show what would change')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nExamples:\n  $ dbbackup schedule remove --dry-run\n  $ dbbackup schedule remove --yes')
    .action(
      runAction<InstallFlags>(context, async ({ options }, output) => {
        const { hasCrontab } = await import('../../operation/schedule/crontab-program.ts');
        const only = options.format === undefined ? undefined : oneOf(options.format, machines, '--format');
        const { config } = await configOf(context.app, options, output);
        for (const format of only ? [only] : machines) {
          // Where there is no cron, there is nothing of ours in it.
          if (only === undefined && format === 'crontab' && !(await hasCrontab())) continue;
          await carryOut(await planOf(format, [], config, options, context.app, output), options, context.app, output);
        }
      }),
    );
}

function exportCommand(context: CommandContext): Command {
  return newCommand('export')
    .description('the same as text, to install by other means; and for Kubernetes')
    .argument('[job...]', 'only these; otherwise every job with a schedule')
    .requiredOption('--format <format>', formats.join(', '))
    .option('--user', "systemd: for the user's own manager, for root too")
    .option('--env-file <file>', 'crontab, systemd: NAME=value lines, read before each run')
    .option('--output <folder>', 'into files of a folder, in place of stdout; never over one that is there')
    .option('--image <image>', 'kubernetes: an image that you have made, with dbbackup and the dump tools')
    .option('--namespace <name>', 'kubernetes: without it, the one kubectl is set to')
    .option(
      '--secret <name>',
      'kubernetes: the Secret with the variables and files that the config refers to',
      'dbbackup',
    )
    .addHelpText('after', exportExamples)
    .action(
      runAction<ExportFlags>(context, async ({ args, options }, output) => {
        const { exportSchedule } = await import('../export-schedule.ts');
        const format = oneOf(options.format, formats, '--format');
        const { config, raw, text } = await configOf(context.app, options, output);
        const jobs = await chosen(args, config);
        if (jobs.length === 0) throw nothingScheduled(config);
        if (format !== 'kubernetes') await warnOfVariables(jobs, config, options.envFile, context.app, output);
        if (format !== 'crontab') await remarkSkippedTimes(jobs, output);
        const scope = scopeOf(options);
        const files = await exportSchedule({ format, jobs, config, raw, text, scope, options }, context.app, output);
        if (options.output === undefined) {
          output.result({ format, files }, () =>
            files
              .map(({ name, content }) => headed(name, content, files.length))
              .join('\n')
              .trimEnd(),
          );
          return;
        }
        const { writeExport } = await import('../export-schedule.ts');
        const written = await writeExport(files, options.output, context.app);
        output.result({ format, written }, () => written.map((file) => `wrote ${file}`).join('\n'));
      }),
    );
}

const exportExamples = `
Kubernetes: values of secrets never stand in the manifest; it says which keys the Secret must have.

Examples:
  $ dbbackup schedule export --format systemd --output ./units
  $ dbbackup schedule export --format kubernetes --image backup/dbbackup:1 > dbbackup.yaml
  $ dbbackup schedule export --format crontab --config config.example.yaml`;

function headed(name: string, content: string, count: number): string {
  return count === 1 ? content : `### ${name}\n${content}`;
}

async function configOf(app: App, options: GlobalOptions, _output: Output) {
  const { loadConfig, readConfig } = await import('../../config/load.ts');
  const request = { named: options.config, cwd: app.workingFolder, env: app.env, catalog: await app.loadCatalog() };
  const { raw, text, config } = await readConfig(request);
  // The same again, for its error with all problems.
  return { raw, text, config: config ?? (await loadConfig(request)) };
}

/** Throws USAGE for a job that is unknown or has no schedule. */
async function chosen(names: readonly string[], config: Config): Promise<readonly JobWithSchedule[]> {
  const { scheduledJobs } = await import('../../operation/schedule/scheduled-jobs.ts');
  const { choiceHint } = await import('../../operation/choice-hint.ts');
  const jobs = scheduledJobs(config);
  if (names.length === 0) return jobs;
  return [...new Set(names)].map((name) => {
    const job = jobs.find((each) => each.name === name);
    if (job !== undefined) return job;
    const known = config.jobs.has(name);
    const message = known ? `job ${name} has no schedule, or is disabled` : `no job "${name}" in ${config.file}`;
    throw new DbBackupError('USAGE', message, {
      hint: known
        ? 'Add one to the job: schedule: { cron: "0 3 * * *" }, or { every: 6h }.'
        : choiceHint(name, config.jobs.keys()),
    });
  });
}

function nothingScheduled(config: Config): DbBackupError {
  return new DbBackupError('USAGE', `no enabled job of ${config.file} has a schedule`, {
    hint: 'Add one to a job: schedule: { cron: "0 3 * * *" }, or { every: 6h }.',
  });
}

/** Without jobs: what takes everything of this config away. */
async function planOf(
  format: (typeof machines)[number],
  jobs: readonly JobWithSchedule[],
  config: Config,
  options: InstallFlags,
  app: App,
  output: Output,
): Promise<SchedulePlan> {
  const { thisLaunch } = await import('../this-launch.ts');
  const launch = await thisLaunch(config, app, output, options.envFile);
  if (format === 'crontab') {
    const { planCrontab } = await import('../../operation/schedule/install-crontab.ts');
    const { crontabBlock } = await import('../../schedule/crontab.ts');
    const { systemTimezone } = await import('../../operation/schedule/system-timezone.ts');
    const block = jobs.length === 0 ? undefined : crontabBlock(jobs, launch, await systemTimezone());
    return planCrontab(config.file, block, app.signal);
  }
  const { planUnits } = await import('../../operation/schedule/install-units.ts');
  const { unitFolder } = await import('../../operation/schedule/unit-folder.ts');
  const { systemdUnits } = await import('../../schedule/systemd.ts');
  const scope = scopeOf(options);
  const units = jobs.flatMap((job) => systemdUnits(job, launch, scope));
  return planUnits(config.file, units, unitFolder(scope, app.env), app.signal);
}

function scopeOf({ user }: { readonly user?: boolean }): UnitScope {
  return user || process.getuid?.() !== 0 ? 'user' : 'system';
}

async function carryOut(plan: SchedulePlan, options: InstallFlags, app: App, output: Output): Promise<void> {
  const { diffLines } = await import('../../operation/schedule/schedule-plan.ts');
  const { askConsent } = await import('../consent.ts');
  const { place, changes } = plan;
  const dryRun = options.dryRun ?? false;
  if (changes.length > 0 && !output.quiet) {
    for (const change of changes)
      output.print([change.name, ...diffLines(change).map((line) => `  ${line}`)].join('\n'));
  }
  if (changes.length > 0 && !dryRun) {
    await askConsent(app, options.yes ?? false)(`Change ${place} so?`);
    await plan.apply();
  }
  for (const remark of plan.remarks) output.say(remark);
  const names = changes.map(({ name }) => name);
  output.result({ place, changed: names, dryRun, remarks: plan.remarks }, () => {
    if (changes.length === 0) return `${place}: nothing to change`;
    return dryRun ? `${place}: nothing was changed (--dry-run)` : `${output.color.green('✓')} ${place}: changed`;
  });
}

async function warnOfVariables(
  jobs: readonly JobWithSchedule[],
  config: Config,
  envFile: string | undefined,
  app: App,
  output: Output,
): Promise<void> {
  const { resolve } = await import('node:path');
  const { missingVariables } = await import('../missing-variables.ts');
  const files = ['/etc/environment', ...(envFile === undefined ? [] : [resolve(app.workingFolder, envFile)])];
  for (const { name, place } of await missingVariables(jobs, config, files)) {
    output.warn(
      `${name}, which ${place} needs, is not in the environment of a scheduled run: put it into a file and name that with --env-file, or refer to a secret file in the config (\${file:path})`,
    );
  }
}

/** systemd and Kubernetes leave out what cron makes up for. */
async function remarkSkippedTimes(jobs: readonly JobWithSchedule[], output: Output): Promise<void> {
  const { skippedTime } = await import('../../schedule/skipped-time.ts');
  for (const { name, schedule } of jobs) {
    const at = skippedTime(schedule, new Date());
    if (at === undefined) continue;
    output.say(
      `${name}: on ${formatTimeIn(at, schedule.timezone).slice(0, 10)} the clocks skip its time, and there will be no run; choose another hour if that matters`,
    );
  }
}
