/**
 * Where a wizard's answers come from: flags first, then a person on a terminal, or with `--yes` what is offered. What
 * cannot be had is gathered, so that all missing flags are named at once.
 */
import { DbBackupError } from '../../errors.ts';
import { registerSecret } from '../../redact.ts';
import type { App } from '../app.ts';

/** The options of the command line, as Commander has them. */
export type Flags = Readonly<Record<string, unknown>>;

export interface Ask {
  /** Without dashes: `source-name`. */
  readonly flag: string;
  readonly message: string;
  readonly offered?: string;
  readonly required?: boolean;
  /** What is wrong with an answer, undefined where nothing is. */
  readonly check?: (text: string) => string | undefined | Promise<string | undefined>;
}

export interface Choice<Value> {
  readonly value: Value;
  readonly name: string;
  /** What the flag calls it. */
  readonly word: string;
}

/** A secret that lies somewhere (`${NAME}`, `${file:…}`), or one that was typed. */
export type SecretAnswer = { readonly reference: string } | { readonly typed: string };

export class Interview {
  readonly #app: App;
  readonly #flags: Flags;
  readonly #missing = new Set<string>();
  readonly #offered = new Set<string>();
  /** Flags whose answers turned out wrong: they are asked for. */
  readonly #void = new Set<string>();
  readonly #yes: boolean;
  readonly onTerminal: boolean;

  constructor(app: App, flags: Flags) {
    this.#app = app;
    this.#flags = flags;
    this.#yes = flags['yes'] === true;
    this.onTerminal = !this.#yes && app.stdin.isTTY === true && app.stderr.isTTY === true;
  }

  /** A flag's value as text; undefined when it was not given. */
  flag(name: string): string | undefined {
    const value = this.#flags[camelCase(name)];
    return value === undefined || this.#void.has(name) ? undefined : String(value);
  }

  /** Of a flag that may be given several times. */
  list(name: string): readonly string[] {
    const value = this.#flags[camelCase(name)];
    return value === undefined ? [] : [value].flat().map(String);
  }

  /** From now on these are asked for, whatever the flags say. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#void.add(name);
  }

  /** '' where an answer may be left out and is. */
  async text({ flag, message, offered, required = false, check }: Ask): Promise<string> {
    const given = this.flag(flag);
    if (given !== undefined) return accepted(flag, given, check);
    if (!this.onTerminal) return this.#unasked(flag, offered, required) ?? '';
    const { input } = await import('@inquirer/prompts');
    const validate = async (text: string) => {
      if (text.trim() === '') return required ? 'An answer is needed here.' : true;
      return (await check?.(text.trim())) ?? true;
    };
    // What was typed before is corrected in place; what is merely offered is taken by the Enter key.
    const prefill = this.#void.has(flag) ? 'editable' : 'tab';
    return (await input({ message, default: offered, validate, prefill }, this.#terminal)).trim();
  }

  async secret({ flag, message, required = false }: Ask): Promise<SecretAnswer | undefined> {
    const variable = this.flag(`${flag}-env`);
    if (variable !== undefined) return { reference: `\${${accepted(`${flag}-env`, variable, checkVariable)}}` };
    const file = this.flag(`${flag}-file`);
    if (file !== undefined) return { reference: `\${file:${file}}` };
    if (!this.onTerminal) {
      if (required) this.#missing.add(`${flag}-env or --${flag}-file`);
      return undefined;
    }
    const { password } = await import('@inquirer/prompts');
    const validate = (text: string) => (required && text === '' ? 'An answer is needed here.' : true);
    const typed = await password({ message, mask: '*', validate }, this.#terminal);
    if (typed === '') return undefined;
    if (/^\$\{[^{}]+\}$/.test(typed)) return { reference: typed };
    registerSecret(typed);
    return { typed };
  }

  async choose<Value>(ask: Ask, choices: readonly Choice<Value>[]): Promise<Value | undefined> {
    const of = (word: string | undefined) => choices.find((each) => each.word === word)?.value;
    const given = this.flag(ask.flag);
    if (given !== undefined) {
      const words = choices.map(({ word }) => word).join(', ');
      await accepted(ask.flag, given, (text) => (of(text) === undefined ? `expected one of ${words}` : undefined));
      return of(given);
    }
    if (!this.onTerminal) return of(this.#unasked(ask.flag, ask.offered, true));
    return this.pick(ask.message, choices, ask.offered);
  }

  /** A choice that only a terminal is asked for. */
  async pick<Value>(message: string, choices: readonly Choice<Value>[], offered?: string): Promise<Value> {
    const { select } = await import('@inquirer/prompts');
    const list = choices.map(({ value, name }) => ({ value: { value }, name }));
    const start = list[choices.findIndex(({ word }) => word === offered)]?.value;
    return (await select({ message, choices: list, default: start, loop: false, pageSize: 12 }, this.#terminal)).value;
  }

  /** The first is chosen already, so that the Enter key alone is an answer. */
  async pickSeveral<Value>(message: string, choices: readonly Choice<Value>[]): Promise<readonly Value[]> {
    const { checkbox } = await import('@inquirer/prompts');
    const list = choices.map(({ value, name, word }, index) => ({ value, name, short: word, checked: index === 0 }));
    return checkbox({ message, choices: list, required: true, loop: false }, this.#terminal);
  }

  /** Yes, unless a person says no. */
  async confirm(message: string): Promise<boolean> {
    if (!this.onTerminal) return true;
    const { confirm } = await import('@inquirer/prompts');
    return confirm({ message, default: true }, this.#terminal);
  }

  /** Throws USAGE when answers are missing that only a flag could have given. */
  settle(): void {
    if (this.#missing.size === 0 && this.#offered.size === 0) return;
    const dashed = (names: Iterable<string>) => [...names].map((name) => `--${name}`).join(', ');
    const rest = this.#offered.size > 0 ? ` --yes takes what is offered for ${dashed(this.#offered)}.` : '';
    const where = this.#yes ? 'With --yes nothing is asked' : 'There is no terminal to ask on';
    const what = this.#missing.size > 0 ? `; missing: ${dashed(this.#missing)}` : ', and --yes is missing';
    throw new DbBackupError('USAGE', `${where}${what}`, { hint: `Give an answer by each of them.${rest}` });
  }

  #unasked(flag: string, offered: string | undefined, required: boolean): string | undefined {
    if (offered !== undefined && this.#yes) return offered;
    if (offered !== undefined) this.#offered.add(flag);
    else if (required) this.#missing.add(flag);
    return undefined;
  }

  get #terminal() {
    const { stdin, stderr, signal } = this.#app;
    return { input: stdin as NodeJS.ReadStream, output: stderr as NodeJS.WriteStream, signal };
  }
}

async function accepted(flag: string, given: string, check: Ask['check']): Promise<string> {
  const problem = await check?.(given);
  if (problem === undefined) return given;
  throw new DbBackupError('USAGE', `--${flag} ${given}: ${problem}`);
}

export function checkVariable(name: string): string | undefined {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? undefined : 'expected the name of a variable, as DB_PASSWORD';
}

/** As Commander does. */
export function camelCase(flag: string): string {
  return flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
