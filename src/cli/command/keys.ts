import type { Command } from 'commander';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { formatTable, formatTime } from '../format.ts';

export function keysCommand(context: CommandContext): Command {
  return newCommand('keys')
    .description('which keys the stored backups still need; look here before you throw one away')
    .argument('[destination...]', 'only these destinations of the config')
    .addHelpText('after', '\nExamples:\n  $ dbbackup keys\n  $ dbbackup keys offsite --json')
    .action(
      runAction(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { neededKeys } = await import('../../operation/storage/needed-keys.ts');
        const { describeFailure } = await import('../../operation/storage/list.ts');
        const runtime = await openRuntime(context.app, options, output, { config: 'required', state: false });
        const { keys, unknown, failures } = await neededKeys(args, runtime);
        for (const failure of failures) output.warn(describeFailure(failure));
        output.result({ keys, unknown }, () => {
          const rows = keys.map((key) => [
            key.fingerprint,
            key.type,
            key.profiles.join(', ') || '-',
            String(key.backups),
            key.onlyKeyOf === 0 ? '-' : String(key.onlyKeyOf),
            formatTime(new Date(key.newest)),
            key.destinations.join(', '),
          ]);
          const header = ['KEY', 'TYPE', 'PROFILE', 'BACKUPS', 'ONLY KEY OF', 'NEWEST', 'DESTINATIONS'];
          const files = unknown === 1 ? 'file' : 'files';
          const note =
            unknown > 0 ? `\n${unknown} encrypted ${files} without a readable sidecar: which key is not known` : '';
          return `${rows.length === 0 ? 'no stored backup needs a key' : formatTable(header, rows)}${note}`;
        });
        return failures.length > 0 ? 7 : undefined;
      }),
    );
}
