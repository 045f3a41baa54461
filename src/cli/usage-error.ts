/** What Commander says of a wrong command line, in our words: what was probably meant, and where to read on. */
import type { Command, CommanderError } from 'commander';
import { DbBackupError } from '../errors.ts';
import { nearest } from '../value/nearest.ts';

/** `argv` without node and script. */
export function usageError(error: CommanderError, program: Command, argv: readonly string[]): DbBackupError {
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split(/\n\(Did you mean /);
  const choice = wrongChoice(first);
  const meant = choice?.meant ?? suggestion?.replace(/\?\)$/, '').replace(/^one of /, '');
  const message = choice?.message ?? first;
  const help = `${commandOf(program, argv)} --help shows what there is, with examples.`;
  return new DbBackupError('USAGE', message, { hint: meant === undefined ? help : `Did you mean ${meant}? ${help}` });
}

const invalid =
  /^(?:option '(?:-\w, )?(--[\w-]+).*' argument|command-argument value) '(.*)' is invalid(?: for argument '(.*)')?\. Allowed choices are (.*)\.$/s;

function wrongChoice(text: string): { readonly message: string; readonly meant?: string } | undefined {
  const [, flag, given = '', argument, values = ''] = invalid.exec(text) ?? [];
  if (flag === undefined && argument === undefined) return undefined;
  const message = `${flag ?? argument} ${given}: expected one of ${values}`;
  return { message, meant: nearest(given, values.split(', ')) };
}

/** `dbbackup config show`: as far as what was typed names commands. */
function commandOf(program: Command, argv: readonly string[]): string {
  const names = [program.name()];
  let at = program;
  for (const word of argv.filter((each) => !each.startsWith('-'))) {
    const next = at.commands.find((each) => each.name() === word);
    if (next === undefined) break;
    names.push(word);
    at = next;
  }
  return names.join(' ');
}
