/** The command tree as completion scripts need it: what may stand where, read from the real commands. */
import type { Argument, Command, Option } from 'commander';

/** Names that the config knows, looked up when they are wanted. */
export const nameKinds = ['jobs', 'sources', 'destinations', 'encryption', 'notifications'] as const;
export type NameKind = (typeof nameKinds)[number];

/** `backups`: a file, or `job@latest`. `targets`: a file, or a source. `text`: nobody can tell. */
export type ValueKind = NameKind | 'backups' | 'targets' | 'files' | 'folders' | 'text' | readonly string[];

export interface CompletionOption {
  /** `-c`, `--config`. */
  readonly names: readonly string[];
  readonly description: string;
  /** What stands behind it; undefined for a mere switch. */
  readonly value?: ValueKind;
}

export interface CompletionNode {
  /** `config show`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly CompletionOption[];
  /** In their order. */
  readonly positions: readonly ValueKind[];
  /** The last position may come again. */
  readonly variadic: boolean;
}

/** The program first, then every command that the help shows. */
export function completionTree(program: Command): readonly CompletionNode[] {
  const node = (command: Command, path: string): readonly CompletionNode[] => {
    const shown = command.createHelp().visibleCommands(command);
    const children = shown.filter((each) => each.name() !== 'help');
    const here: CompletionNode = {
      path,
      commands: shown.map((each) => ({ name: each.name(), description: firstSentence(each.description()) })),
      options: command.createHelp().visibleOptions(command).map(optionOf),
      positions: command.registeredArguments.map((each) => valueOfArgument(command.name(), each)),
      variadic: command.registeredArguments.at(-1)?.variadic ?? false,
    };
    return [here, ...children.flatMap((each) => node(each, `${path} ${each.name()}`.trim()))];
  };
  return node(program, '');
}

function optionOf(option: Option): CompletionOption {
  const names = [option.short, option.long].filter((each) => each !== undefined);
  const takes = option.required || option.optional;
  return { names, description: firstSentence(option.description), value: takes ? valueOfOption(option) : undefined };
}

const byFlag: Readonly<Record<string, ValueKind>> = {
  '--destination': 'destinations',
  '--job': 'jobs',
  '--source': 'sources',
  '--to': 'targets',
  '--include-key': 'encryption',
  '--trust': 'files',
};

function valueOfOption({ argChoices, long = '', flags }: Option): ValueKind {
  if (argChoices) return argChoices;
  const known = byFlag[long];
  if (known !== undefined) return known;
  if (/<(file|path)/.test(flags)) return 'files';
  return /<folder/.test(flags) ? 'folders' : 'text';
}

const byArgument: Readonly<Record<string, ValueKind>> = {
  job: 'jobs',
  source: 'sources',
  destination: 'destinations',
  folder: 'folders',
};

function valueOfArgument(command: string, argument: Argument): ValueKind {
  if (argument.argChoices) return argument.argChoices;
  const name = argument.name();
  if (name === 'file') return command === 'keygen' ? 'files' : 'backups';
  if (name === 'name') return command === 'test' ? 'notifications' : 'text';
  return byArgument[name] ?? 'text';
}

/** Menus have one line. */
function firstSentence(text: string): string {
  return text.split(/[;\n]/)[0] ?? '';
}
