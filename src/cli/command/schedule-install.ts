import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { SchedulePlan } from '../../operation/schedule/schedule-plan.ts';
import type { JobWithSchedule } from '../../operation/schedule/scheduled-jobs.ts';
import type { App } from '../app.ts';
import { type CommandContext, newCommand, oneOf, runAction } from '../command.ts';
import type { Output } from '../output.ts';
import {
  chooseSomeScheduled,
  readScheduleConfig,
  remarkSkippedTimes,
  scopeOf,
  warnOfVariables,
} from '../scheduled-jobs.ts';

const machines = ['crontab', 'systemd'] as const;

interface InstallFlags {
  readonly format?: string;
  readonly user?: boolean;
  readonly envFile?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function installCommand(context: CommandContext): Command {
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
        const { config } = await readScheduleConfig(context.app, options);
        const jobs = await chooseSomeScheduled([], config);
        await warnOfVariables(jobs, config, format, options.envFile, context.app, output);
        const plan = await planOf(format, jobs, config, options, context.app, output);
        if (format === 'systemd') await remarkSkippedTimes(jobs, output);
        output.event({ changes: [await carryOut(plan, options, context.app, output)] });
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

export function removeCommand(context: CommandContext): Command {
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
        const { config } = await readScheduleConfig(context.app, options);
        const changes: Record<string, unknown>[] = [];
        for (const format of only ? [only] : machines) {
          // Where there is no cron, there is nothing of ours in it.
          if (only === undefined && format === 'crontab' && !(await hasCrontab())) continue;
          const plan = await planOf(format, [], config, options, context.app, output);
          changes.push(await carryOut(plan, options, context.app, output));
        }
        output.event({ changes });
      }),
    );
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

/** Shows, asks, changes; returns what `--json` tells of it. */
async function carryOut(plan: SchedulePlan, options: InstallFlags, app: App, output: Output) {
  const { diffLines } = await import('../../operation/schedule/schedule-plan.ts');
  const { askConsent } = await import('../consent.ts');
  const { place, changes, remarks } = plan;
  const dryRun = options.dryRun ?? false;
  if (!output.quiet) for (const each of changes) output.print([each.name, ...diffLines(each)].join('\n  '));
  if (changes.length > 0 && !dryRun) {
    await askConsent(app, options.yes ?? false)(`Change ${place} so?`);
    await plan.apply();
  }
  for (const remark of remarks) output.say(remark);
  if (!output.quiet) output.print(conclusion(place, changes.length > 0, dryRun, output));
  return { place, changed: changes.map(({ name }) => name), dryRun, remarks };
}

function conclusion(place: string, changes: boolean, dryRun: boolean, output: Output): string {
  if (!changes) return `${place}: nothing to change`;
  return dryRun ? `${place}: nothing was changed (--dry-run)` : `${output.color.green('✓')} ${place}: changed`;
}
