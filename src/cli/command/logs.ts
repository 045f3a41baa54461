import type { Command } from 'commander';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { formatTime } from '../format.ts';
import { unknownExecution } from '../unknown-execution.ts';

export function logsCommand(context: CommandContext): Command {
  return newCommand('logs')
    .description('the log of one execution')
    .argument('<execution>', 'its id or the first digits of it (dbbackup history shows them)')
    .addHelpText('after', '\nExamples:\n  $ dbbackup logs 1f0c2a44')
    .action(
      runAction(context, async ({ args, options }, output) => {
        const { queryHistory } = await import('../open-history-query.ts');
        const id = args[0] ?? '';
        const found = await queryHistory(context.app, options, output, (history) => {
          const execution = history.get(id);
          if (!execution) throw unknownExecution(id, history);
          return { execution, lines: history.logs(execution.id) };
        });
        const { execution, lines } = found;
        output.result({ execution, lines }, () => {
          const head = `${execution.kind} ${execution.job ?? ''} ${execution.id}, started ${formatTime(execution.startedAt)}: ${execution.status}`;
          const body = lines.map((line) => `${formatTime(line.at)} ${line.level.padEnd(7)} ${line.text}`);
          const { error } = execution;
          const end = error ? [`${error.code}: ${error.message}`, ...(error.hint ? [`hint: ${error.hint}`] : [])] : [];
          return [head, ...body, ...end].join('\n');
        });
      }),
    );
}
