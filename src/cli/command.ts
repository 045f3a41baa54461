/** What all commands share: the global options, the output, and how an action ends. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { DbBackupError } from '../errors.ts';
import { nearest } from '../value/nearest.ts';
import type { App, GlobalOptions } from './app.ts';
import type { Output } from './output.ts';

/** Returns the exit code; throws for anything that failed. */
export type Action<Options> = (
  given: { readonly args: readonly string[]; readonly options: Options & GlobalOptions },
  output: Output,
) => Promise<number | undefined>;

/** Filled by the action, read by the program when it ends. */
export interface Ending {
  code: number;
  output?: Output;
}

export interface CommandContext {
  readonly app: App;
  readonly ending: Ending;
}

/** A command with the global options, in their own section of the help. */
export function newCommand(name: string): Command {
  return new Command(name);
}

export function addGlobalOptions(command: Command): Command {
  return command
    .optionsGroup('Global options:')
    .option('-c, --config <file>', 'configuration file (also DBBACKUP_CONFIG); otherwise it is searched for')
    .option('--json', 'results as JSON on stdout, nothing else there')
    .option('-q, --quiet', 'say only what failed')
    .option('--debug', 'show stacks of errors');
}

/** Opens the output, runs the action, and turns warnings into exit code 8. */
export function runAction<Options>(context: CommandContext, action: Action<Options>) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    // A command with commands of its own takes the global options wherever they stand.
    const options = command.optsWithGlobals<Options & GlobalOptions>();
    const { openOutput } = await import('./output.ts');
    const output = openOutput(context.app, options);
    context.ending.output = output;
    const code = await action({ args: command.args, options }, output);
    context.ending.code = code ?? (output.warned ? 8 : 0);
  };
}

/** For options that are lists: `--table a --table b`. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** For options that take a whole number, zero too. */
export function wholeNumber(value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('A whole number is needed.');
}

/** For options that take a whole number of at least one. */
export function positiveInteger(value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('A whole number above zero is needed.');
}

/** A repeatable option with a fixed set of values, which help and completion show; `oneOf` refuses others. */
export function choices(flags: string, description: string, values: readonly string[]): Option {
  const option = new Option(flags, description).argParser(collect);
  option.argChoices = [...values];
  return option;
}

/** For options with a fixed set of values. */
export function oneOf<Value extends string>(given: string, values: readonly Value[], flag: string): Value {
  const found = values.find((each) => each === given);
  if (found !== undefined) return found;
  const meant = nearest(given, values);
  throw new DbBackupError('USAGE', `${flag} ${given}: expected one of ${values.join(', ')}`, {
    hint: meant === undefined ? undefined : `Did you mean ${meant}?`,
  });
}
