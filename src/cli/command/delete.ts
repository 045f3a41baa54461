import type { Command } from 'commander';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { askConsent } from '../consent.ts';

export function deleteCommand(context: CommandContext): Command {
  return newCommand('delete')
    .description('remove one backup from one destination, with its sidecar')
    .argument('<file>', 'destination:key, a backup id or its first six digits, a path')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup delete 4f9c01\n  $ dbbackup delete disk:example/example_….sqlite.zst --yes',
    )
    .action(
      runAction<{ yes?: boolean }>(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { resolveBackup } = await import('../../operation/storage/find-backup.ts');
        const { deleteBackup } = await import('../../operation/storage/delete-backup.ts');
        const consent = askConsent(context.app, options.yes ?? false);
        const runtime = await openRuntime(context.app, options, output, { config: 'optional', state: true, consent });
        try {
          const { backup } = await deleteBackup(await resolveBackup(args[0] ?? '', runtime), runtime);
          const text = `${output.color.green('✓')} deleted ${backup.on.name}:${backup.key}`;
          output.result(
            { type: 'result', destination: backup.on.name, key: backup.key, id: backup.sidecar?.id },
            () => text,
          );
        } finally {
          runtime.history.close();
        }
      }),
    );
}
