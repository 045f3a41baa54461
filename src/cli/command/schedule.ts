import type { Command } from 'commander';
import { type CommandContext, newCommand, positiveInteger, runAction } from '../command.ts';
import { formatTable, formatTimeIn } from '../format.ts';
import { chooseScheduled, readScheduleConfig } from '../scheduled-jobs.ts';
import { exportCommand } from './schedule-export.ts';
import { installCommand, removeCommand } from './schedule-install.ts';

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
        const { config } = await readScheduleConfig(context.app, options);
        const jobs = await chooseScheduled(args, config);
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
