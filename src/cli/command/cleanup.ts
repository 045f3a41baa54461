import type { Command } from 'commander';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { askConsent } from '../consent.ts';
import { formatBytes } from '../format.ts';
import { parseAge } from '../parse-since.ts';

interface CleanupFlags {
  readonly olderThan: string;
  readonly orphans?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function cleanupCommand(context: CommandContext): Command {
  return newCommand('cleanup')
    .description('clear what unfinished work left at the destinations')
    .argument('[destination...]', 'only these destinations')
    .option('--older-than <age>', 'leave what is younger: it may belong to a run that lives', '24h')
    .option('--orphans', 'also data without a sidecar, which may be a good backup that lost it (asks first)')
    .option('--dry-run', 'only tell')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup cleanup --dry-run\n  $ dbbackup cleanup disk --older-than 1h\n  $ dbbackup cleanup --orphans',
    )
    .action(
      runAction<CleanupFlags>(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { chosen } = await import('../../operation/storage/list.ts');
        const { openDestination } = await import('../../operation/open-adapter.ts');
        const { cleanUp } = await import('../../operation/storage/clean-up.ts');
        const consent = askConsent(context.app, options.yes ?? false);
        const runtime = await openRuntime(context.app, options, output, { config: 'required', state: true, consent });
        const dryRun = options.dryRun ?? false;
        try {
          const destinations = [];
          for (const definition of chosen(args, runtime)) destinations.push(await openDestination(definition, runtime));
          const wishes = { olderThanMs: parseAge(options.olderThan), orphans: options.orphans ?? false, dryRun };
          const { removed, younger } = await cleanUp(destinations, wishes, runtime);
          output.result({ removed, younger, dryRun }, () => {
            const left = `${younger} younger than ${options.olderThan} left alone (--older-than)`;
            if (removed.length === 0) return younger > 0 ? `nothing removed; ${left}` : 'nothing to clean up';
            const verb = dryRun ? 'would remove' : 'removed';
            const lines = removed.map(
              (each) => `${verb} ${each.kind} ${each.object} (${formatBytes(each.bytes ?? 0)})`,
            );
            return [...lines, ...(younger > 0 ? [left] : [])].join('\n');
          });
        } finally {
          runtime.history.close();
        }
      }),
    );
}
