import type { Command } from 'commander';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { unknownExecution } from '../unknown-execution.ts';

const patienceMs = 30_000;

export function cancelCommand(context: CommandContext): Command {
  return newCommand('cancel')
    .description('stop a running execution in good order, from another terminal')
    .argument('<execution>', 'its id or the first digits of it (dbbackup status shows them)')
    .addHelpText('after', '\nExamples:\n  $ dbbackup cancel 1f0c2a44')
    .action(
      runAction(context, async ({ args, options }, output) => {
        const { hostname } = await import('node:os');
        const { queryHistory } = await import('../open-history-query.ts');
        const { cancelExecution } = await import('../../operation/cancel.ts');
        const id = args[0] ?? '';
        const { signal } = context.app;
        await queryHistory(context.app, options, output, async (history, stateFolder) => {
          const execution = history.get(id);
          if (!execution) throw unknownExecution(id, history);
          await cancelExecution(execution, { stateFolder, host: hostname(), signal }, patienceMs);
          // It may have come to its end before it saw the wish.
          const status = history.get(execution.id)?.status;
          if (/^(completed|partial|suspect|failed)$/.test(status ?? '')) {
            const text = `${execution.id} had come to its end before it could be cancelled: ${status}`;
            output.result({ cancelled: null, execution: execution.id, status }, () => text);
            return;
          }
          output.result({ cancelled: execution.id }, () => `${output.color.green('✓')} cancelled ${execution.id}`);
        });
      }),
    );
}
