import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { DbBackupError, exitCodes } from '../../errors.ts';
import type { Execution } from '../../history/history.ts';
import type { Freshness } from '../../operation/freshness.ts';
import type { App, GlobalOptions } from '../app.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { formatBytes, formatDuration, formatTable, formatTime } from '../format.ts';
import type { Output } from '../output.ts';
import { parseAge } from '../parse-since.ts';

interface StatusFlags {
  readonly watch?: boolean;
  readonly maxAge?: string;
}

const watchEveryMs = 1000;

export function statusCommand(context: CommandContext): Command {
  return newCommand('status')
    .description('what runs now on this machine; or, with --max-age, whether the newest backups are fresh enough')
    .argument('[job...]', 'with --max-age: only these jobs; otherwise every enabled one')
    .option('--watch', 'again and again, until Ctrl-C')
    .option(
      '--max-age <age>',
      'exit 8 when the newest good backup of a job at one of its destinations is older: 26h, 7d',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup status --watch\n  $ dbbackup status --max-age 26h || echo "no fresh backup"\n  $ dbbackup status --max-age 8d weekly --json',
    )
    .action(
      runAction<StatusFlags>(context, async ({ args, options }, output) => {
        if (options.maxAge !== undefined && options.watch) {
          throw new DbBackupError('USAGE', '--watch shows what runs and --max-age asks once: say one of them');
        }
        if (options.maxAge !== undefined) return showFreshness(args, options.maxAge, context.app, options, output);
        if (args.length > 0) throw new DbBackupError('USAGE', 'jobs are named only together with --max-age');
        await showRunning(context.app, options, output, options.watch ?? false);
        return undefined;
      }),
    );
}

async function showRunning(app: App, options: GlobalOptions, output: Output, watch: boolean): Promise<void> {
  const { queryHistory } = await import('../open-history-query.ts');
  const { seenAlive } = await import('../../operation/seen-alive.ts');
  await queryHistory(app, options, output, async (history, stateFolder) => {
    while (true) {
      const seen = await seenAlive(history.running(), history, stateFolder);
      const running = seen.filter(({ status }) => status === 'running' || status === 'pending');
      const gone = seen.filter(({ status }) => status === 'interrupted');
      if (watch && !output.json && app.stdout.isTTY) app.stdout.write('\u001b[H\u001b[2J');
      output.result({ running: running.map(withRate), gone }, () =>
        [running.length === 0 ? 'nothing runs' : table(running), ...gone.map(goneLine)].join('\n'),
      );
      if (!watch) return;
      // Ctrl-C is how it is meant to end.
      await delay(watchEveryMs, undefined, { signal: app.signal }).catch(() => undefined);
      if (app.signal.aborted) return;
    }
  });
}

/** Bytes a second since the start, and ms that are left where the size is estimated. */
function withRate(execution: Execution): Execution & { rate: number; elapsedMs: number; leftMs?: number } {
  const elapsedMs = Math.max(1, Date.now() - execution.startedAt.getTime());
  const { rawBytes = 0, estimatedBytes } = execution;
  const rate = Math.round((rawBytes / elapsedMs) * 1000);
  const left = estimatedBytes === undefined || rate === 0 ? undefined : ((estimatedBytes - rawBytes) / rate) * 1000;
  return { ...execution, rate, elapsedMs, leftMs: left === undefined ? undefined : Math.max(0, Math.round(left)) };
}

function goneLine({ id, kind, job, startedAt, pid }: Execution): string {
  const what = `${kind}${job === undefined ? '' : ` of ${job}`}`;
  return `gone: ${what} (${id.slice(0, 8)}, pid ${pid}), interrupted; it had begun ${formatTime(startedAt)}`;
}

function table(running: readonly Execution[]): string {
  const header = ['EXECUTION', 'KIND', 'JOB', 'STEP', 'RAW', 'STORED', 'RATE', 'ELAPSED', 'LEFT', 'PID'];
  const rows = running
    .map(withRate)
    .map((execution) => [
      execution.id.slice(0, 8),
      execution.kind,
      execution.job ?? '',
      execution.step ?? execution.status,
      formatBytes(execution.rawBytes ?? 0),
      formatBytes(execution.storedBytes ?? 0),
      `${formatBytes(execution.rate)}/s`,
      formatDuration(execution.elapsedMs),
      execution.leftMs === undefined ? '' : `~${formatDuration(execution.leftMs)}`,
      String(execution.pid),
    ]);
  return formatTable(header, rows);
}

async function showFreshness(
  names: readonly string[],
  maxAge: string,
  app: App,
  options: GlobalOptions,
  output: Output,
): Promise<number> {
  const { openRuntime } = await import('../open-runtime.ts');
  const { chooseJobs } = await import('../../operation/backup/run-jobs.ts');
  const { checkFreshness } = await import('../../operation/freshness.ts');
  const maxAgeMs = parseAge(maxAge);
  const runtime = await openRuntime(app, options, output, { config: 'required', state: false });
  const jobs = chooseJobs(names, names.length === 0, runtime);
  const found = await checkFreshness(jobs, maxAgeMs, runtime);
  output.result({ maxAgeMs, backups: found }, () => found.map((each) => freshnessLine(each, output)).join('\n'));
  return found.every((each) => each.fresh) ? 0 : exitCodes.WARNING;
}

function freshnessLine({ job, destination, ageMs, fresh, problem }: Freshness, output: Output): string {
  const age = ageMs === undefined ? '' : `, ${formatDuration(ageMs)} old`;
  const mark = fresh ? output.color.green('✓') : output.color.red('✗');
  return `${mark} ${job} at ${destination}${age}${problem ? `: ${problem}` : ''}`;
}
