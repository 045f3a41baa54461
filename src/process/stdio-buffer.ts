/**
 * Larger stdio buffers for programs that read or write a dump through the C library, whose own are 4 KiB: pg_dump then
 * makes sixteen times fewer system calls, and we get sixteen times fewer pieces. Measured with 750 MB of pg_dump: the
 * two took 1.1 s of CPU time together instead of 2.2 s.
 * By stdbuf of the GNU coreutils, which sets two variables and becomes the program: pid, exit code and stderr are the
 * program's own. Where it is missing (macOS, BusyBox), programs run as they are.
 * Source: coreutils manual, "stdbuf invocation".
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** As much as one read of a pipe gets; more would only make silence longer for the idle limit. */
const buffer = '64K';

/** `command` and `args` as they are to be started; both unchanged where nothing can be gained. */
export function withLargeBuffers(command: string, args: readonly string[]): [command: string, args: readonly string[]] {
  stdbuf ??= lookUp('stdbuf') ?? '';
  // A program that is missing must fail to start under its own name.
  if (stdbuf === '' || !isAbsolute(command) || !isExecutable(command)) return [command, args];
  return [stdbuf, [`--input=${buffer}`, `--output=${buffer}`, '--', command, ...args]];
}

/** Looked up once; empty = not installed. */
let stdbuf: string | undefined;

function lookUp(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
