/** A terminal that nobody sees: bash in a tmux of its own, typed into and read as a person would. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const exec = promisify(execFile);

export interface Terminal {
  /** As typed, with Enter. */
  type(line: string): Promise<void>;
  /** With the escape sequences of its colours. */
  screen(): Promise<string>;
  /** The screen as soon as it passes. Throws after `seconds`. */
  waitFor(test: (screen: string) => boolean, seconds?: number): Promise<string>;
  /** An empty screen. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** @param host what the machine calls itself in there (needs root) */
export async function openTerminal(
  size: { readonly columns: number; readonly rows: number },
  folder: string,
  env: NodeJS.ProcessEnv,
  host: string,
): Promise<Terminal> {
  const socket = `dbbackup-pictures-${process.pid}`;
  const tmux = (...args: string[]) => exec('tmux', ['-L', socket, '-f', '/dev/null', ...args]);
  const prompt = join(folder, 'prompt.sh');
  await writeFile(prompt, "PS1='\\[\\e[32m\\]$\\[\\e[0m\\] '\n");
  const start = `hostname ${host} && exec tmux -L ${socket} -f /dev/null new-session -d -x ${size.columns} -y ${size.rows} "bash --noprofile --rcfile ${prompt}"`;
  const own = { ...env, TERM: 'xterm-256color', LANG: 'C.UTF-8' };
  await exec('unshare', ['--uts', 'sh', '-c', start], { cwd: folder, env: own });
  const screen = async () => (await tmux('capture-pane', '-e', '-p')).stdout;
  const waitFor: Terminal['waitFor'] = async (test, seconds = 60) => {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await delay(40)) {
      const shown = await screen();
      if (test(shown)) return shown;
    }
    throw new Error(`the terminal never showed what was waited for:\n${await screen()}`);
  };
  return {
    type: async (line) => {
      await tmux('send-keys', '-l', line);
      await tmux('send-keys', 'Enter');
    },
    screen,
    waitFor,
    clear: async () => {
      await tmux('send-keys', 'C-l');
      await tmux('clear-history');
      await delay(300);
    },
    close: async () => {
      await tmux('kill-server');
    },
  };
}
