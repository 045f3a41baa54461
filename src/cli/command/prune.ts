import type { Command } from 'commander';
import type { DestinationPrune, PruneResult } from '../../operation/retention/prune.ts';
import { plural } from '../../value/figure.ts';
import { type CommandContext, newCommand, positiveInteger, runAction } from '../command.ts';
import { askConsent } from '../consent.ts';
import { formatTable, formatTime } from '../format.ts';
import type { Output } from '../output.ts';

interface PruneFlags {
  readonly dryRun?: boolean;
  readonly forecast?: number | true;
  readonly adopt?: boolean;
  readonly yes?: boolean;
}

/** Days that a dry run looks ahead unless `--forecast` says otherwise. */
const usualForecast = 30;

export function pruneCommand(context: CommandContext): Command {
  return newCommand('prune')
    .description('apply the retention of jobs: tell what stays and why, delete the rest')
    .argument('[job...]', 'jobs of the config; without one, all that have a retention')
    .option('--dry-run', 'only tell, with what would be deleted over the next days')
    .option(
      '--forecast [days]',
      `how far to look ahead (with --dry-run, or without a number: ${usualForecast})`,
      positiveInteger,
    )
    .option('--adopt', "take backups of another source under the job's name for its own (asks first)")
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup prune --dry-run\n  $ dbbackup prune shop --dry-run --forecast 365\n  $ dbbackup prune shop --yes',
    )
    .action(
      runAction<PruneFlags>(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { pruneJobs } = await import('../../operation/retention/prune-jobs.ts');
        const consent = askConsent(context.app, options.yes ?? false);
        const runtime = await openRuntime(context.app, options, output, { config: 'required', state: true, consent });
        const dryRun = options.dryRun ?? false;
        const forecastDays =
          options.forecast === true ? usualForecast : (options.forecast ?? (dryRun ? usualForecast : 0));
        const wishes = { dryRun, forecastDays, adopt: options.adopt ?? false, destinations: [] };
        try {
          const outcome = await pruneJobs(args, wishes, runtime, (result) => {
            output.result({ type: 'result', ...toJson(result) }, () => describe(result, forecastDays, output));
            for (const each of result.destinations) {
              if (each.error !== undefined) output.failure(each.error, { job: result.job, destination: each.name });
            }
          });
          for (const { job, error } of outcome.failures) output.failure(error, { job });
          if (outcome.error !== undefined) throw outcome.error;
          return undefined;
        } finally {
          runtime.history.close();
        }
      }),
    );
}

function toJson(result: PruneResult): Record<string, unknown> {
  return {
    executionId: result.executionId,
    job: result.job,
    dryRun: result.dryRun,
    destinations: result.destinations.map((each) => ({
      name: each.name,
      decisions: each.decisions.map(({ backup, action, reasons }) => ({
        ...{ key: backup.key, id: backup.stored.sidecar?.id, startedAt: backup.startedAt, action, reasons },
      })),
      deleted: each.deleted.map(({ key }) => key),
      finished: each.finished.map(({ key }) => key),
      adopted: each.adopted.map(({ key }) => key),
      forecast: each.future.map(({ at, backup }) => ({ at, key: backup.key, id: backup.stored.sidecar?.id })),
      error: each.error instanceof Error ? each.error.message : undefined,
    })),
  };
}

function describe(result: PruneResult, days: number, output: Output): string {
  return result.destinations.map((each) => describeDestination(result, each, days, output)).join('\n\n');
}

function describeDestination(result: PruneResult, at: DestinationPrune, days: number, output: Output): string {
  const verb = result.dryRun ? 'would delete' : 'deleted';
  const gone = result.dryRun ? at.decisions.filter(({ action }) => action === 'delete').length : at.deleted.length;
  const kept = at.decisions.length - at.decisions.filter(({ action }) => action === 'delete').length;
  const foreign = at.decisions.filter(({ reasons }) => reasons.some(({ rule }) => rule === 'foreign')).length;
  const lines = [
    output.color.bold(`${result.job} at ${at.name}: keep ${kept}, ${verb} ${gone}`),
    ...(at.decisions.length > 0 ? [table(at)] : []),
    ...(at.finished.length > 0 ? [`finished ${plural(at.finished.length, 'deletion')} that had been cut`] : []),
    ...(at.adopted.length > 0 ? [`${result.dryRun ? 'would adopt' : 'adopted'} ${at.adopted.length}`] : []),
    ...(foreign > 0 ? [`${foreign} of another source are protected; --adopt takes them for this job's own`] : []),
    ...(days > 0 ? [outlook(at, days)] : []),
  ];
  return lines.join('\n');
}

function table({ decisions }: DestinationPrune): string {
  const rows = decisions.map(({ backup, action, reasons }) => [
    action,
    backup.stored.sidecar?.id.slice(0, 6) ?? backup.stored.name?.id6 ?? '',
    formatTime(backup.startedAt),
    reasons.map(({ text }) => text).join('; '),
  ]);
  return formatTable(['ACTION', 'ID', 'STARTED', 'BECAUSE'], rows);
}

function outlook({ future, decisions }: DestinationPrune, days: number): string {
  const goneNow = new Set(decisions.filter(({ action }) => action === 'delete').map(({ backup }) => backup));
  const later = future.filter(({ backup }) => !goneNow.has(backup));
  if (later.length === 0) return `over the next ${days} days nothing more would be deleted of what is there`;
  const rows = later.map(({ at, backup }) => [
    formatTime(at),
    backup.stored.sidecar?.id.slice(0, 6) ?? '',
    formatTime(backup.startedAt),
  ]);
  return `over the next ${days} days, if every run succeeds:\n${formatTable(['DELETED', 'ID', 'STARTED'], rows)}`;
}
