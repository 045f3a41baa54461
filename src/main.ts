/**
 * The composition root: joins the lists of adapters with the command line, turns signals into one abort, and is the
 * only place that ends the process.
 */
import { setMaxListeners } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { App } from './cli/app.ts';
import { runProgram } from './cli/program.ts';
import { DbBackupError, exitCodes } from './errors.ts';

/** Runs one command line (without node and script) and exits with its code. */
export async function main(argv: readonly string[], version: string): Promise<void> {
  const stdout = watchOutput(process.stdout);
  watchOutput(process.stderr);
  const app: App = {
    version,
    ...takeSignals(),
    env: process.env,
    workingFolder: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    loadCatalog,
  };
  // Ctrl-D at a question ends the terminal's input; nothing is left to wait for then, and Node leaves by itself, with 0.
  process.exitCode = exitCodes.INTERRUPTED;
  const code = await runProgram(app, argv);
  await flushed(process.stdout);
  if (stdout.failure) process.stderr.write(`error writing to stdout failed: ${stdout.failure.message}\n`);
  await flushed(process.stderr);
  process.exit(code || Number(stdout.failure !== undefined));
}

/** The adapters, loaded when a command needs them. */
async function loadCatalog() {
  const [sources, destinations, encryption, notifications] = await Promise.all([
    import('./source/all.ts'),
    import('./destination/all.ts'),
    import('./crypto/all.ts'),
    import('./notification/all.ts'),
  ]);
  return {
    sources: sources.sourceTypes,
    destinations: destinations.destinationTypes,
    encryption: encryption.encryptionTypes,
    notifications: notifications.notificationTypes,
  };
}

/** The first signal stops the work in good order; whoever sends a second one wants to leave at once. */
function takeSignals(): Pick<App, 'signal' | 'onHangup'> {
  const controller = new AbortController();
  // Everything that is under way listens, and Node takes more than ten listeners for a leak.
  setMaxListeners(0, controller.signal);
  const stop = (code: 'INTERRUPTED' | 'TERMINATED', exitCode: number) => () => {
    if (controller.signal.aborted) process.exit(exitCode);
    controller.abort(new DbBackupError(code, code === 'INTERRUPTED' ? 'interrupted' : 'terminated'));
  };
  process.on('SIGINT', stop('INTERRUPTED', 130));
  process.on('SIGTERM', stop('TERMINATED', 143));
  const end = stop('TERMINATED', 143);
  const ownsTerminal = hasTerminal();
  let hangup = end;
  process.on('SIGHUP', () => hangup());
  return {
    signal: controller.signal,
    onHangup(listener) {
      // A window that is closed is meant as the end, whatever else the signal is taken for.
      hangup = () => (ownsTerminal && !hasTerminal() ? end() : listener());
    },
  };
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/** A reader that leaves early (`| head`) must not end a backup half-way; a failed write of a result is a failure. */
function watchOutput(stream: NodeJS.WriteStream): { failure?: Error } {
  const seen: { failure?: Error } = {};
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') seen.failure ??= error;
  });
  return seen;
}

/** process.exit drops what a pipe has not taken yet. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}
