import type { Command } from 'commander';
import type { Mark } from '../../operation/storage/mark-backup.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';

const file = 'destination:key or a path for one copy; a backup id, its first six digits or job@latest for all of them';
const done = { lock: 'locked', unlock: 'unlocked', accept: 'accepted' } as const;

export function lockCommand(context: CommandContext): Command {
  return markCommand(context, 'lock')
    .description('keep a backup: neither retention nor delete removes it')
    .option('--reason <text>', 'your own words, shown by list and show')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup lock 4f9c01 --reason "year end"\n  $ dbbackup lock example@latest',
    );
}

export function unlockCommand(context: CommandContext): Command {
  return markCommand(context, 'unlock')
    .description('let retention and delete have a locked backup again')
    .addHelpText('after', '\nExamples:\n  $ dbbackup unlock 4f9c01');
}

export function acceptCommand(context: CommandContext): Command {
  return markCommand(context, 'accept')
    .description('declare a suspect backup good: the change it was suspected for was meant')
    .option('--reason <text>', 'your own words')
    .addHelpText('after', '\nExamples:\n  $ dbbackup accept 4f9c01 --reason "archived the old orders"');
}

function markCommand(context: CommandContext, mark: Mark): Command {
  return newCommand(mark)
    .argument('<file>', file)
    .action(
      runAction<{ reason?: string }>(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { markBackup } = await import('../../operation/storage/mark-backup.ts');
        const { describeFailure } = await import('../../operation/storage/list.ts');
        const runtime = await openRuntime(context.app, options, output, { config: 'optional', state: false });
        const { marked, failures } = await markBackup(args[0] ?? '', mark, options.reason, runtime);
        for (const backup of marked) {
          const about = { type: 'result', destination: backup.on.name, key: backup.key, id: backup.sidecar?.id };
          const text = `${output.color.green('✓')} ${done[mark]} ${backup.on.name}:${backup.key}`;
          output.result({ ...about, state: backup.state }, () => text);
        }
        for (const failure of failures) output.warn(`${describeFailure(failure)}; a copy there is not ${done[mark]}`);
        return undefined;
      }),
    );
}
