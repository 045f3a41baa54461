import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { KeyKind } from '../../crypto/keygen.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';

const kinds = ['age', 'aes-256-gcm', 'signing'] as const satisfies readonly KeyKind[];

export function keygenCommand(context: CommandContext): Command {
  return newCommand('keygen')
    .description('make a key: an age identity, an AES key, or a pair for signing')
    .argument('<file>', 'new file for the secret, readable by you alone; never overwritten')
    .addOption(new Option('--type <type>', 'what it is for').choices(kinds).default('age'))
    .addHelpText('after', examples)
    .action(
      runAction<{ type: KeyKind }>(context, async ({ args, options }, output) => {
        const { generateKey } = await import('../../crypto/keygen.ts');
        const file = resolve(context.app.workingFolder, args[0] ?? '');
        const key = await generateKey(options.type, file);
        output.result(key, () => {
          const facts = [
            ['secret key', `${key.file} (${advice[key.kind]})`],
            ...(key.publicPart === undefined ? [] : [[names[key.kind], key.publicPart]]),
            ['fingerprint', key.fingerprint],
          ];
          return facts.map(([name = '', value]) => `${output.color.dim(name.padEnd(12))} ${value}`).join('\n');
        });
      }),
    );
}

const names: Readonly<Record<KeyKind, string>> = {
  age: 'recipient',
  'aes-256-gcm': 'key',
  signing: 'public key',
};

const loss = 'keep a copy away from this machine; without it no backup opens';
const advice: Readonly<Record<KeyKind, string>> = {
  age: loss,
  'aes-256-gcm': loss,
  signing: 'who has it can sign backups in your name',
};

const examples = `
Examples:
  $ dbbackup keygen restore.agekey                     recipient into the config, the file to a safe place
  $ dbbackup keygen backup.key --type aes-256-gcm
  $ dbbackup keygen sign.key --type signing`;
