import { type Command, Option } from 'commander';
import type { Execution, ExecutionKind, ExecutionStatus } from '../../history/history.ts';
import { plural } from '../../value/figure.ts';
import { type CommandContext, newCommand, positiveInteger, runAction } from '../command.ts';
import { formatBytes, formatDuration, formatTable, formatTime } from '../format.ts';
import { parseSince } from '../parse-since.ts';

interface HistoryFlags {
  readonly status?: (typeof statuses)[number];
  readonly kind?: (typeof kinds)[number];
  readonly since?: string;
  readonly limit: number;
  readonly page: number;
}

const statuses = [
  'pending',
  'running',
  'completed',
  'partial',
  'failed',
  'cancelled',
  'interrupted',
  'suspect',
] as const satisfies readonly ExecutionStatus[];
const kinds = [
  'backup',
  'restore',
  'verify',
  'prune',
  'drill',
  'download',
  'delete',
  'cleanup',
  'tune',
] as const satisfies readonly ExecutionKind[];

export function historyCommand(context: CommandContext): Command {
  return newCommand('history')
    .addCommand(rebuildCommand(context))
    .description('what ran on this machine, newest first')
    .argument('[job]', 'only this job')
    .addOption(new Option('--status <status>', 'only with this end').choices(statuses))
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(kinds))
    .option('--since <time>', 'only from then on: 2026-11-01, or 7d, 12h')
    .option('--limit <n>', 'so many a page', positiveInteger, 20)
    .option('--page <n>', 'which page', positiveInteger, 1)
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup history\n  $ dbbackup history example --status failed --since 30d\n  $ dbbackup history rebuild',
    )
    .action(
      runAction<HistoryFlags>(context, async ({ args, options }, output) => {
        const { queryHistory } = await import('../open-history-query.ts');
        const query = {
          job: args[0],
          status: options.status,
          kind: options.kind,
          since: options.since === undefined ? undefined : parseSince(options.since),
          limit: options.limit,
          offset: (options.page - 1) * options.limit,
        };
        const { seenAlive } = await import('../../operation/seen-alive.ts');
        const page = await queryHistory(context.app, options, output, async (history, stateFolder) => {
          const { executions, total } = history.list(query);
          return { executions: await seenAlive(executions, history, stateFolder), total };
        });
        output.result(page, () => {
          if (page.executions.length === 0) return 'no executions';
          const header = ['EXECUTION', 'KIND', 'JOB', 'STARTED', 'TOOK', 'RAW', 'STORED', 'STATUS'];
          const pages = Math.ceil(page.total / options.limit);
          const foot =
            pages > 1 ? `\n${output.color.dim(`page ${options.page} of ${pages}, ${page.total} executions`)}` : '';
          return `${formatTable(header, page.executions.map(row))}${foot}`;
        });
      }),
    );
}

function rebuildCommand(context: CommandContext): Command {
  return newCommand('rebuild')
    .description('write down anew what was lost, from the sidecars at the destinations; changes nothing that is there')
    .argument('[destination...]', 'only from these destinations')
    .addHelpText('after', '\nExamples:\n  $ dbbackup history rebuild\n  $ dbbackup history rebuild disk')
    .action(
      runAction(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { queryHistory } = await import('../open-history-query.ts');
        const { rebuildHistory } = await import('../../operation/rebuild-history.ts');
        const { describeFailure } = await import('../../operation/storage/list.ts');
        const runtime = await openRuntime(context.app, options, output, { config: 'required', state: true });
        const done = await queryHistory(context.app, options, output, (history) =>
          rebuildHistory(args, history, runtime),
        );
        for (const failure of done.failures) output.warn(describeFailure(failure));
        for (const backup of done.conflicts) output.warn(`${backup} bears the id of another backup and was left out`);
        const { backups, executions, validations, known } = done;
        output.result({ ...done, failures: done.failures.map(({ destination }) => destination) }, () => {
          return `${plural(backups, 'backup')} found: ${executions} written down anew, ${known} known; ${plural(validations, 'verification')} added`;
        });
        return done.failures.length > 0 ? 7 : undefined;
      }),
    );
}

function row(execution: Execution): string[] {
  const { durationMs, rawBytes, storedBytes, error } = execution;
  return [
    execution.id.slice(0, 8),
    execution.rebuiltAt ? `${execution.kind} (rebuilt)` : execution.kind,
    execution.job ?? '',
    formatTime(execution.startedAt),
    durationMs === undefined ? '' : formatDuration(durationMs),
    rawBytes === undefined ? '' : formatBytes(rawBytes),
    storedBytes === undefined ? '' : formatBytes(storedBytes),
    error ? `${execution.status}: ${error.message.split('\n')[0]}` : execution.status,
  ];
}
