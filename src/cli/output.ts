/**
 * The two channels: results on stdout, everything said to a person on stderr. With `--json` stdout carries JSON and
 * nothing else. Every text is redacted here, whatever room it came from.
 */
import { Chalk, type ChalkInstance } from 'chalk';
import { causesOf, DbBackupError, messageOf } from '../errors.ts';
import { redact } from '../redact.ts';
import type { App, GlobalOptions, Terminal } from './app.ts';

export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: ChalkInstance;
  /** The result of a command: `value` under --json, `text` otherwise. */
  result(value: unknown, text: () => string): void;
  /** One NDJSON event under --json; nothing otherwise. */
  event(value: unknown): void;
  /** A part of a result for people, on stdout as it comes; nothing under --json. */
  print(text: string): void;
  /** A remark for people, on stderr; nothing when quiet. */
  say(text: string): void;
  /** Trouble that did not stop the command; makes the exit code 8. */
  warn(text: string): void;
  readonly warned: boolean;
  /** An error as message, causes and hint, and as an event under --json. */
  failure(error: unknown, about?: Record<string, unknown>): void;
}

export function openOutput(app: App, options: GlobalOptions): Output {
  const json = options.json ?? false;
  const quiet = options.quiet ?? false;
  let warned = false;
  const write = (to: Terminal, text: string) => to.write(`${printable(redact(text))}\n`);
  const color = new Chalk({ level: colorLevel(app) });
  return {
    json,
    quiet,
    color,
    result(value, text) {
      if (json) write(app.stdout, JSON.stringify(value));
      else if (!quiet) write(app.stdout, text());
    },
    print(text) {
      if (!json) write(app.stdout, text);
    },
    event(value) {
      if (json) write(app.stdout, JSON.stringify(value));
    },
    say(text) {
      if (!quiet) write(app.stderr, text);
    },
    warn(text) {
      warned = true;
      write(app.stderr, `${color.yellow('warning')} ${text}`);
    },
    failure(error, about = {}) {
      if (json) write(app.stdout, JSON.stringify({ type: 'error', ...about, error: errorObject(error) }));
      write(app.stderr, formatError(error, color, options.debug ?? false));
    },
    get warned() {
      return warned;
    },
  };
}

/** Names and notes come out of stores that others may write to: but for our colours, nothing of theirs moves the cursor. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced here
  return text.replace(/\u001b(?!\[\d+m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g, '\ufffd');
}

/** NO_COLOR (no-color.org) and FORCE_COLOR are honoured; no colour where nobody looks. */
function colorLevel({ env, stderr }: App): 0 | 1 {
  if (env['NO_COLOR']) return 0;
  if (env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0') return 1;
  return stderr.isTTY && env['TERM'] !== 'dumb' ? 1 : 0;
}

/** An error as people see it: message, causes, hint; a stack only for bugs or --debug. */
function formatError(error: unknown, color: ChalkInstance, debug: boolean): string {
  const causes = causesOf(error).map((cause) => `  ${color.dim('because')} ${messageOf(cause)}`);
  const hint = error instanceof DbBackupError && error.hint ? [`  ${color.cyan('hint')}    ${error.hint}`] : [];
  const bug = !(error instanceof DbBackupError);
  const stack = (debug || bug) && error instanceof Error ? [color.dim(error.stack ?? '')] : [];
  return redact([`${color.red('error')} ${messageOf(error)}`, ...causes, ...hint, ...stack].join('\n'));
}

/** The same as one JSON object, for `--json`. */
function errorObject(error: unknown): Record<string, unknown> {
  const known = error instanceof DbBackupError ? error : undefined;
  return {
    code: known?.code ?? 'UNEXPECTED',
    exitCode: known?.exitCode ?? 1,
    message: redact(messageOf(error)),
    hint: known?.hint === undefined ? undefined : redact(known.hint),
    retryable: known?.retryable ?? false,
    causes: causesOf(error).map((cause) => redact(messageOf(cause))),
  };
}
