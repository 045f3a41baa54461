import type { Command } from 'commander';
import type { Execution } from '../../history/history.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { formatBytes, formatDuration, formatTable } from '../format.ts';

export function statusCommand(context: CommandContext): Command {
  return newCommand('status')
    .description('what runs now on this machine, in this or another terminal')
    .addHelpText('after', '\nExamples:\n  $ dbbackup status\n  $ dbbackup status --json')
    .action(
      runAction(context, async ({ options }, output) => {
        const { queryHistory } = await import('../open-history-query.ts');
        const running = await queryHistory(context.app, options, output, (history) => history.running());
        output.result({ running }, () => (running.length === 0 ? 'nothing runs' : table(running)));
      }),
    );
}

function table(running: readonly Execution[]): string {
  const header = ['EXECUTION', 'KIND', 'JOB', 'STEP', 'RAW', 'STORED', 'ELAPSED', 'PID'];
  const rows = running.map((execution) => [
    execution.id.slice(0, 8),
    execution.kind,
    execution.job ?? '',
    execution.step ?? execution.status,
    formatBytes(execution.rawBytes ?? 0),
    formatBytes(execution.storedBytes ?? 0),
    formatDuration(Date.now() - execution.startedAt.getTime()),
    String(execution.pid),
  ]);
  return formatTable(header, rows);
}
