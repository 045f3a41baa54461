import { Argument, type Command } from 'commander';
import { type CommandContext, newCommand, oneOf, runAction } from '../command.ts';
import type { CompletionNode } from '../completion/tree.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export function completionCommand(context: CommandContext): Command {
  const command = newCommand('completion')
    .description('print a script with which the shell completes commands, options and the names of the config')
    .addArgument(new Argument('<shell>', 'whose script').choices(shells))
    .addHelpText('after', examples);
  return command.action(
    runAction(context, async ({ args }, output) => {
      const { completionTree } = await import('../completion/tree.ts');
      const shell = oneOf(args[0] ?? '', shells, 'shell');
      const script = await makeScript(shell, completionTree(programOf(command)));
      output.result({ shell, script }, () => script.trimEnd());
    }),
  );
}

const examples = `
Examples:
  $ dbbackup completion bash > ~/.local/share/bash-completion/completions/dbbackup
  $ dbbackup completion zsh > ~/.zfunc/_dbbackup       with: fpath+=~/.zfunc; autoload -U compinit; compinit
  $ dbbackup completion fish > ~/.config/fish/completions/dbbackup.fish
  $ source <(dbbackup completion bash)                 for this shell only`;

async function makeScript(shell: (typeof shells)[number], tree: readonly CompletionNode[]): Promise<string> {
  if (shell === 'bash') return (await import('../completion/bash.ts')).bashCompletion(tree);
  if (shell === 'zsh') return (await import('../completion/zsh.ts')).zshCompletion(tree);
  return (await import('../completion/fish.ts')).fishCompletion(tree);
}

function programOf(command: Command): Command {
  return command.parent === null ? command : programOf(command.parent);
}
