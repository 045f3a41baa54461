import type { Command } from 'commander';
import type { Job } from '../../config/config.ts';
import type { JobStatistics } from '../../history/history.ts';
import { describeSchedule } from '../../schedule/schedule.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { formatBytes, formatTable, formatTime } from '../format.ts';

export function jobsCommand(context: CommandContext): Command {
  return newCommand('jobs')
    .description('the jobs of the config, with their schedule, next run, last result and counts')
    .addHelpText('after', '\nExamples:\n  $ dbbackup jobs')
    .action(
      runAction(context, async ({ options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const runtime = await openRuntime(context.app, options, output, { config: 'required', state: true });
        const { nextRun } = await import('../../schedule/next-run.ts');
        const now = new Date();
        const jobs: ListedJob[] = [];
        for (const job of runtime.config?.jobs.values() ?? []) {
          // A disabled job is started by nobody.
          const next = job.enabled && job.schedule ? nextRun(job.schedule, now) : undefined;
          jobs.push({ job, nextRun: next, statistics: await runtime.jobStatistics(job.name) });
        }
        output.result({ jobs: jobs.map(toJson) }, () => {
          const header = ['JOB', 'SOURCE', 'DESTINATIONS', 'SCHEDULE', 'NEXT RUN'];
          header.push('LAST RUN', 'RESULT', 'STORED', 'GOOD/ALL', 'DESCRIPTION');
          return jobs.length === 0 ? 'no jobs' : formatTable(header, jobs.map(row));
        });
      }),
    );
}

interface ListedJob {
  readonly job: Job;
  readonly nextRun?: Date;
  readonly statistics?: JobStatistics;
}

function toJson({ job, nextRun, statistics }: ListedJob): Record<string, unknown> {
  return {
    name: job.name,
    description: job.description,
    enabled: job.enabled,
    source: job.source.name,
    destinations: job.destinations.map((each) => each.name),
    schedule: job.schedule,
    nextRun,
    statistics,
  };
}

function row({ job, nextRun, statistics }: ListedJob): string[] {
  const last = statistics?.lastRun;
  return [
    job.enabled ? job.name : `${job.name} (disabled)`,
    `${job.source.name} (${job.source.type})`,
    job.destinations.map((each) => each.name).join(', '),
    describeSchedule(job.schedule),
    nextRun ? formatTime(nextRun) : '-',
    last ? formatTime(last.startedAt) : 'never',
    last?.status ?? '-',
    last?.storedBytes === undefined ? '-' : formatBytes(last.storedBytes),
    `${statistics?.successful ?? 0}/${statistics?.total ?? 0}`,
    job.description ?? '',
  ];
}
