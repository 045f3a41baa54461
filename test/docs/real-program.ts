/** The real command tree, for tests that read it: nothing is run, nothing is printed. */
import { PassThrough, Readable } from 'node:stream';
import type { Command } from 'commander';
import type { App } from '../../src/cli/app.ts';
import { buildProgram } from '../../src/cli/program.ts';

/** A new tree at each call, since parsing leaves its values in it. `onAction` gets the command in place of its action. */
export function realProgram(onAction: (command: Command) => void = () => {}): Command {
  const stdout = new PassThrough();
  const app: App = {
    version: '0.0.0',
    signal: new AbortController().signal,
    env: {},
    workingFolder: '/',
    stdin: Readable.from([]),
    stdout,
    stderr: stdout,
    loadCatalog: () => Promise.reject(new Error('nothing is run here')),
  };
  const program = buildProgram({ app, ending: { code: 0 } });
  for (const command of allCommands(program)) {
    if (!isGroup(command)) command.action(() => onAction(command));
  }
  return program;
}

/** Every command that the help shows, the program first. */
export function allCommands(program: Command): readonly Command[] {
  const children = program.createHelp().visibleCommands(program);
  return [program, ...children.filter((each) => each.name() !== 'help').flatMap(allCommands)];
}

export function isGroup(command: Command): boolean {
  return command.commands.length > 0 && command.registeredArguments.length === 0;
}

/** `config show`; empty for the program. */
export function pathOf(command: Command): string {
  return command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim();
}

/** With what `addHelpText` adds. */
export function helpOf(command: Command): string {
  let text = '';
  const write = (part: string) => {
    text += part;
    return true;
  };
  command.configureOutput({ writeOut: write, writeErr: write });
  command.outputHelp();
  return text;
}
