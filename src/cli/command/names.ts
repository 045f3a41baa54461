import type { Command } from 'commander';
import { type CommandContext, newCommand } from '../command.ts';

/**
 * `__names jobs`: what the completion scripts ask. Reads the config as text, looks up no secret, and says nothing where
 * anything is wrong: a shell that completes must not be disturbed.
 */
export function namesCommand(context: CommandContext): Command {
  return newCommand('__names')
    .argument('[kind]')
    .allowExcessArguments()
    .allowUnknownOption()
    .action(async (kind: string | undefined, options: { config?: string }) => {
      const { configNames } = await import('../../config/names.ts');
      const { env, workingFolder: cwd, stdout } = context.app;
      const names = await configNames(kind ?? '', { named: options.config, cwd, env }).catch(() => []);
      if (names.length > 0) stdout.write(`${names.join('\n')}\n`);
    });
}
