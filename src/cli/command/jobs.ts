import type { Command } from 'commander';
import type { Job } from '../../config/config.ts';
import type { JobStatistics } from '../../history/history.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { formatBytes, formatTable, formatTime } from '../format.ts';

export function jobsCommand(context: CommandContext): Command {
  return newCommand('jobs')
    .description('the jobs of the config, with their last result and counts')
    .addHelpText('after', '\nExamples:\n  $ dbbackup jobs')
    .action(
      runAction(context, async ({ options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const runtime = await openRuntime(context.app, options, output, { config: 'required', state: true });
        const jobs: { job: Job; statistics?: JobStatistics }[] = [];
        for (const job of runtime.config?.jobs.values() ?? []) {
          jobs.push({ job, statistics: await runtime.jobStatistics(job.name) });
        }
        output.result({ jobs: jobs.map(toJson) }, () => {
          const header = ['JOB', 'SOURCE', 'DESTINATIONS', 'LAST RUN', 'RESULT', 'STORED', 'GOOD/ALL', 'DESCRIPTION'];
          return jobs.length === 0 ? 'no jobs' : formatTable(header, jobs.map(row));
        });
      }),
    );
}

function toJson({ job, statistics }: { job: Job; statistics?: JobStatistics }): Record<string, unknown> {
  return {
    name: job.name,
    description: job.description,
    enabled: job.enabled,
    source: job.source.name,
    destinations: job.destinations.map((each) => each.name),
    statistics,
  };
}

function row({ job, statistics }: { job: Job; statistics?: JobStatistics }): string[] {
  const last = statistics?.lastRun;
  return [
    job.enabled ? job.name : `${job.name} (disabled)`,
    `${job.source.name} (${job.source.type})`,
    job.destinations.map((each) => each.name).join(', '),
    last ? formatTime(last.startedAt) : 'never',
    last?.status ?? '-',
    last?.storedBytes === undefined ? '-' : formatBytes(last.storedBytes),
    `${statistics?.successful ?? 0}/${statistics?.total ?? 0}`,
    job.description ?? '',
  ];
}
