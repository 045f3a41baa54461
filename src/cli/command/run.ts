import type { Command } from 'commander';
import { DbBackupError } from '../../errors.ts';
import type { FailedJob } from '../../operation/backup/run-jobs.ts';
import type { OperationEvent } from '../../operation/event.ts';
import type { App, GlobalOptions } from '../app.ts';
import { showBackupResult } from '../backup-result.ts';
import { type CommandContext, collect, newCommand, runAction, wholeNumber } from '../command.ts';
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
    .action(runAction<RunFlags>(context, ({ args, options }, output) => run(args, options, context.app, output)));
}

/** Runs jobs with bars and results as `dbbackup run` does. Returns the exit code where it is told by the outcome. */
export async function run(
  names: readonly string[],
  options: RunFlags & GlobalOptions,
  app: App,
  output: Output,
): Promise<number | undefined> {
  const { openReporter } = await import('../progress/reporter.ts');
  const { openRuntime } = await import('../open-runtime.ts');
  const { chooseJobs, runJobs } = await import('../../operation/backup/run-jobs.ts');
  const reporter = await openReporter(app, output);
  const executions = new Map<string, string>();
  const emit = (event: OperationEvent) => {
    if (event.type === 'start' && event.kind === 'backup') executions.set(event.subject, event.executionId);
    reporter.report(event);
  };
  const needs = { config: 'required', state: true, emit } as const;
  const runtime = await openRuntime(app, options, output, needs);
  const jobs = chooseJobs(names, options.all ?? false, runtime);
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
        showBackupResult(each.result, each.retention, output);
        for (const trouble of each.retention.troubles) output.warn(trouble);
      } else {
        if (jobs.length > 1) output.failure(each.error, { job: each.job.name });
        sayWhereToLook(each, executions.get(each.job.name), output);
      }
    });
    for (const trouble of outcome.troubles) output.warn(trouble);
    if (outcome.error !== undefined) throw outcome.error;
    return outcome.exitCode || undefined;
  } finally {
    reporter.stop();
    runtime.history.close();
  }
}

/** The next commands, where there is something to find out: not for a run that was stopped or found another at work. */
function sayWhereToLook({ job, error }: FailedJob, executionId: string | undefined, output: Output): void {
  const code = error instanceof DbBackupError ? error.code : undefined;
  if (executionId === undefined || code === 'INTERRUPTED' || code === 'TERMINATED' || code === 'BUSY') return;
  const id = executionId.slice(0, 8);
  output.say(`${job.name}: dbbackup logs ${id} shows what it said; dbbackup check ${job.name} looks for what is wrong`);
}

const examples = `
Examples:
  $ dbbackup run example --config config.example.yaml
  $ dbbackup run --all --quiet                     for cron: silent unless something failed
  $ dbbackup run shop --note "before the migration"
  $ dbbackup run shop --dry-run                    is everything in place?`;
