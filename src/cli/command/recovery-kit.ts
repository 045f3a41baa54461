import { resolve } from 'node:path';
import type { Command } from 'commander';
import { DbBackupError } from '../../errors.ts';
import { type CommandContext, collect, newCommand, runAction } from '../command.ts';

interface KitFlags {
  readonly includeKey?: readonly string[];
}

export function recoveryKitCommand(context: CommandContext): Command {
  return newCommand('recovery-kit')
    .description('a folder with all that is needed to decrypt aes-256-gcm backups without dbbackup')
    .argument('<folder>', 'new folder, readable by you alone')
    .option(
      '--include-key <profile>',
      'put the keys of this encryption profile in (repeatable); then guard the folder',
      collect,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup recovery-kit ./kit\n  $ dbbackup recovery-kit /media/usb/kit --include-key main',
    )
    .action(
      runAction<KitFlags>(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { choiceHint } = await import('../../operation/choice-hint.ts');
        const { openEncryption } = await import('../../operation/open-adapter.ts');
        const { joinKeyRings } = await import('../../crypto/key-ring.ts');
        const { writeRecoveryKit } = await import('../../crypto/recovery-kit/recovery-kit.ts');
        const runtime = await openRuntime(context.app, options, output, { config: 'optional', state: false });
        const rings = [];
        for (const name of options.includeKey ?? []) {
          const definition = runtime.config?.encryption.get(name);
          if (!definition) {
            throw new DbBackupError('USAGE', `no encryption profile "${name}"`, {
              hint: choiceHint(name, runtime.config?.encryption.keys() ?? []),
            });
          }
          const { keys } = await openEncryption(definition, runtime);
          if (keys.identities.length + keys.keys.length + keys.passphrases.length === 0) {
            throw new DbBackupError('USAGE', `the encryption profile "${name}" holds no secret, only recipients`, {
              hint: 'Bring the identity file yourself; backups of type age need no kit, only the age command.',
            });
          }
          rings.push(keys);
        }
        const keys = rings.length > 0 ? joinKeyRings(...rings) : undefined;
        const files = await writeRecoveryKit(resolve(context.app.workingFolder, args[0] ?? ''), { keys });
        output.result(
          { files },
          () => `${output.color.green('✓')} wrote\n${files.map((file) => `  ${file}`).join('\n')}`,
        );
      }),
    );
}
