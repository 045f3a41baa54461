import type { Command } from 'commander';
import { explain } from '../../errors.ts';
import type { BackupResult } from '../../operation/backup/backup.ts';
import type { DestinationPrune } from '../../operation/retention/prune.ts';
import type { RunRetention } from '../../operation/retention/prune-after-backup.ts';
import { type CommandContext, collect, newCommand, runAction, wholeNumber } from '../command.ts';
import { formatBytes, formatDuration, formatSavings } from '../format.ts';
import type { Output } from '../output.ts';

interface RunFlags {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly retention: boolean;
  readonly destination?: readonly string[];
  readonly note?: string;
  readonly retries?: number;
}

export function runCommand(context: CommandContext): Command {
  return newCommand('run')
    .description('run jobs: dump, compress, encrypt, store, and only then call it a backup')
    .argument('[job...]', 'jobs of the config, run in this order')
    .option('--all', 'run every enabled job')
    .option('--dry-run', 'check config, source and destinations; dump nothing')
    .option('--wait', 'wait while another run of the job holds its lock, instead of failing with exit code 6')
    .option(
      '--retries <n>',
      'try again so many times what may pass by itself, in place of what the job says',
      wholeNumber,
    )
    .option('--no-retention', 'delete no older backups this time')
    .option('--destination <name>', 'only to this destination of the job (repeatable)', collect)
    .option('--note <text>', 'your own words, kept with the backup')
    .addHelpText('after', examples)
    .action(
      runAction<RunFlags>(context, async ({ args, options }, output) => {
        const { openReporter } = await import('../progress/reporter.ts');
        const { openRuntime } = await import('../open-runtime.ts');
        const { chooseJobs, runJobs } = await import('../../operation/backup/run-jobs.ts');
        const reporter = await openReporter(context.app, output);
        const needs = { config: 'required', state: true, emit: reporter.report.bind(reporter) } as const;
        const runtime = await openRuntime(context.app, options, output, needs);
        const jobs = chooseJobs(args, options.all ?? false, runtime);
        const chosen = {
          wait: options.wait ?? false,
          note: options.note,
          destinations: options.destination ?? [],
          dryRun: options.dryRun ?? false,
          retention: options.retention,
          attempts: options.retries === undefined ? undefined : options.retries + 1,
        };
        try {
          const outcome = await runJobs(jobs, chosen, runtime, (each) => {
            reporter.stop();
            if (each.status === 'done') {
              showResult(each.result, each.retention, output);
              for (const trouble of each.retention.troubles) output.warn(trouble);
            } else if (jobs.length > 1) output.failure(each.error, { job: each.job.name });
          });
          for (const trouble of outcome.troubles) output.warn(trouble);
          if (outcome.error !== undefined) throw outcome.error;
          return outcome.exitCode || undefined;
        } finally {
          reporter.stop();
          runtime.history.close();
        }
      }),
    );
}

const examples = `
Examples:
  $ dbbackup run example --config config.example.yaml
  $ dbbackup run --all --quiet                     for cron: silent unless something failed
  $ dbbackup run shop --note "before the migration"
  $ dbbackup run shop --dry-run                    is everything in place?`;

function showResult(result: BackupResult | { dryRun: string }, retention: RunRetention, output: Output): void {
  if ('dryRun' in result) {
    output.result(
      { type: 'dry-run', job: result.dryRun, status: 'ready' },
      () => `${output.color.green('✓')} ${result.dryRun}: ready`,
    );
    return;
  }
  const pruned = retention.result?.destinations ?? [];
  output.result({ type: 'result', ...toJson(result), retention: retentionJson(retention) }, () =>
    [summary(result, output), ...pruned.map(retentionLine)].join('\n'),
  );
}

function retentionJson({ result, troubles }: RunRetention): Record<string, unknown> | undefined {
  if (!result && troubles.length === 0) return undefined;
  const destinations = result?.destinations.map(({ name, deleted, decisions }) => {
    return { name, deleted: deleted.map(({ key }) => key), kept: kept(decisions) };
  });
  return { executionId: result?.executionId, destinations, troubles };
}

function retentionLine({ name, decisions, deleted }: DestinationPrune): string {
  const foreign = decisions.filter(({ reasons }) => reasons.some(({ rule }) => rule === 'foreign')).length;
  const note = foreign > 0 ? `; ${foreign} of another source left alone (dbbackup prune --adopt)` : '';
  return `  retention at ${name}: kept ${kept(decisions)}, deleted ${deleted.length}${note}`;
}

function kept(decisions: DestinationPrune['decisions']): number {
  return decisions.filter(({ action }) => action === 'keep').length;
}

function toJson(result: BackupResult): Record<string, unknown> {
  const { sidecar } = result;
  return {
    executionId: result.executionId,
    job: result.job,
    status: result.status,
    suspect: result.suspect,
    id: sidecar.id,
    key: result.key,
    ...sidecar.artifact,
    durationMs: sidecar.durationMs,
    destinations: result.destinations.map(({ name, status, key, error }) => ({
      name,
      status,
      key,
      error: error === undefined ? undefined : explain(error),
    })),
    warnings: result.warnings,
  };
}

function summary(result: BackupResult, output: Output): string {
  const { rawBytes, storedBytes } = result.sidecar.artifact;
  const sizes = `${formatBytes(rawBytes)} → ${formatBytes(storedBytes)} (${formatSavings(rawBytes, storedBytes)})`;
  const suspect =
    result.suspect === undefined
      ? []
      : [
          `  ${output.color.yellow('suspect')} ${result.suspect}`,
          '  dbbackup accept declares it good; until then nothing older is pruned',
        ];
  const mark = result.status === 'completed' ? output.color.green('✓') : output.color.yellow('!');
  const head = `${mark} ${result.job}: ${sizes} in ${formatDuration(result.sidecar.durationMs)}, id ${result.sidecar.id.slice(0, 6)}`;
  const places = result.destinations.map((each) =>
    each.status === 'completed'
      ? `  ${each.name}:${each.key}`
      : `  ${output.color.red('failed')} ${each.name}: ${explain(each.error)}`,
  );
  return [head, ...places, ...suspect].join('\n');
}
