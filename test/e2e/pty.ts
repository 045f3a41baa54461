/** The built program on a real terminal: a pty from util-linux `script`, with what it shows and a keyboard. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Workplace } from './cli.ts';

const program = resolve(import.meta.dirname, '../../bin/dbbackup.js');

export interface TerminalRun {
  readonly ended: Promise<number | null>;
  /** Everything that the terminal was sent. */
  shown(): string;
  /** Writes to it as a keyboard does. */
  type(text: string): void;
  /** Waits for text that comes after what was waited for last; fails with what is there instead. */
  until(text: RegExp | string): Promise<void>;
  /** Waits for a question, then types the answer. */
  answer(question: RegExp | string, keys: string): Promise<void>;
}

export const keys = {
  enter: '\r',
  down: '\u001b[B',
  clear: '\u0015',
  interrupt: '\u0003',
  endOfInput: '\u0004',
} as const;

const patienceMs = 30_000;

export function onTerminal(place: Workplace, command: string, env: NodeJS.ProcessEnv = {}): TerminalRun {
  const child = spawn(
    'script',
    ['-qec', `stty cols 200; exec "${process.execPath}" "${program}" ${command}`, '/dev/null'],
    {
      cwd: place.folder,
      env: { ...place.env, TERM: 'xterm-256color', NO_COLOR: '', ...env },
    },
  );
  let shown = '';
  let seen = 0;
  let wake = () => {};
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    wake();
  });
  const ended = new Promise<number | null>((done) => {
    child.once('close', (code) => {
      done(code);
      wake();
    });
  });
  const type = (text: string) => void child.stdin.write(text);
  const until = async (text: RegExp | string): Promise<void> => {
    const pattern = typeof text === 'string' ? new RegExp(escaped(text)) : text;
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const found = pattern.exec(shown.slice(seen));
      if (found) {
        seen += found.index + found[0].length;
        return;
      }
      if (Date.now() > deadline || child.exitCode !== null) {
        child.kill('SIGKILL');
        throw new Error(`no ${pattern} in:\n${shown.slice(seen)}`);
      }
      await new Promise<void>((next) => {
        const timer = setTimeout(next, Math.max(0, deadline + 1 - Date.now()));
        wake = () => {
          clearTimeout(timer);
          next();
        };
      });
    }
  };
  const answer = async (question: RegExp | string, typed: string): Promise<void> => {
    await until(question);
    type(typed);
  };
  return { ended, shown: () => shown, type, until, answer };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
