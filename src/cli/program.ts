/** The command tree: parses, dispatches, and turns whatever was thrown into one clear message and an exit code. */
import { Command, CommanderError } from 'commander';
import { DbBackupError, exitCodeOf, exitCodes } from '../errors.ts';
import { redact } from '../redact.ts';
import type { App } from './app.ts';
import { cancelCommand } from './command/cancel.ts';
import { checkCommand } from './command/check.ts';
import { cleanupCommand } from './command/cleanup.ts';
import { completionCommand } from './command/completion.ts';
import { configCommand } from './command/config.ts';
import { daemonCommand } from './command/daemon.ts';
import { deleteCommand } from './command/delete.ts';
import { downloadCommand } from './command/download.ts';
import { historyCommand } from './command/history.ts';
import { initCommand } from './command/init.ts';
import { jobCommand } from './command/job.ts';
import { jobsCommand } from './command/jobs.ts';
import { keygenCommand } from './command/keygen.ts';
import { keysCommand } from './command/keys.ts';
import { listCommand } from './command/list.ts';
import { logsCommand } from './command/logs.ts';
import { acceptCommand, lockCommand, unlockCommand } from './command/mark.ts';
import { namesCommand } from './command/names.ts';
import { notifyCommand } from './command/notify.ts';
import { pruneCommand } from './command/prune.ts';
import { recoveryKitCommand } from './command/recovery-kit.ts';
import { reportCommand } from './command/report.ts';
import { restoreCommand } from './command/restore.ts';
import { runCommand } from './command/run.ts';
import { scheduleCommand } from './command/schedule.ts';
import { showCommand } from './command/show.ts';
import { statusCommand } from './command/status.ts';
import { tuneCommand } from './command/tune.ts';
import { verifyCommand } from './command/verify.ts';
import { addGlobalOptions, type CommandContext, type Ending } from './command.ts';
import { usageError } from './usage-error.ts';

/** Every command, by its name, in the order of the help. */
const commands = {
  init: initCommand,
  run: runCommand,
  restore: restoreCommand,
  list: listCommand,
  show: showCommand,
  verify: verifyCommand,
  download: downloadCommand,
  lock: lockCommand,
  unlock: unlockCommand,
  accept: acceptCommand,
  delete: deleteCommand,
  prune: pruneCommand,
  cleanup: cleanupCommand,
  history: historyCommand,
  logs: logsCommand,
  status: statusCommand,
  cancel: cancelCommand,
  report: reportCommand,
  jobs: jobsCommand,
  schedule: scheduleCommand,
  daemon: daemonCommand,
  job: jobCommand,
  check: checkCommand,
  tune: tuneCommand,
  notify: notifyCommand,
  keygen: keygenCommand,
  keys: keysCommand,
  'recovery-kit': recoveryKitCommand,
  config: configCommand,
  completion: completionCommand,
} as const;

/** Runs one command line and returns the exit code. Never throws. */
export async function runProgram(app: App, argv: readonly string[]): Promise<number> {
  const ending: Ending = { code: 0 };
  hideSecrets(argv);
  try {
    await buildProgram({ app, ending }, argv[0]).parseAsync(argv, { from: 'user' });
    return ending.code;
  } catch (error) {
    return reportFailure(error, { app, ending }, argv);
  }
}

/** Arguments are there for every user of the machine to read: a password that was typed in a URL is taken out. */
function hideSecrets(argv: readonly string[]): void {
  const line = argv.join(' ');
  if (redact(line) !== line) process.title = redact(`dbbackup ${line}`);
}

/** All commands; or only the one of this name, where it needs no others: to make them all takes 5 ms of every start. */
export function buildProgram(context: CommandContext, name = ''): Command {
  const program = new Command('dbbackup')
    .description('Back up and restore databases: streaming, verified, fail-closed.')
    .version(context.app.version, '-V, --version')
    .addHelpText('after', programExamples);
  if (standsAlone(name)) program.addCommand(commands[name](context));
  else for (const make of Object.values(commands)) program.addCommand(make(context));
  program.addCommand(namesCommand(context), { hidden: true });
  for (const command of [program, ...descendants(program)]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => context.app.stdout.write(text),
      writeErr: (text) => context.app.stderr.write(text),
      outputError: () => {},
    });
    // A mere group of commands (`config`) does nothing itself.
    if (command !== program && !isGroup(command)) addGlobalOptions(command);
  }
  return program;
}

const programExamples = `
Examples:
  $ dbbackup init                         a first config, and a first backup
  $ dbbackup run shop-nightly             run one job of the config
  $ dbbackup list                         what is stored, wherever it is stored
  $ dbbackup verify shop-nightly@latest   read every byte of the newest backup
  $ dbbackup restore shop-nightly@latest --to ./copy.sqlite
  $ dbbackup restore ./shop_2026-11-20T03-00-00-123Z_4f9c01.sqlite.zst --to ./copy.sqlite

Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 source or restore target,
4 destination, 5 integrity, 6 busy, 7 partial, 8 done with a warning, 130/143 interrupted.`;

/** What completes the command line speaks of all of it. */
function standsAlone(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name) && name !== 'completion';
}

function isGroup(command: Command): boolean {
  return command.commands.length > 0 && command.registeredArguments.length === 0;
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...descendants(each)]);
}

async function reportFailure(
  thrown: unknown,
  { app, ending }: CommandContext,
  argv: readonly string[],
): Promise<number> {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  const error = translate(thrown, { app, ending }, argv);
  if (error === undefined) return exitCodes.USAGE;
  const { openOutput } = await import('./output.ts');
  const given = { json: argv.includes('--json'), debug: argv.includes('--debug') };
  (ending.output ?? openOutput(app, given)).failure(error);
  return exitCodeOf(error);
}

/** What libraries throw in their own words. Undefined: it was shown already (a bare `dbbackup` prints the help). */
function translate(thrown: unknown, context: CommandContext, argv: readonly string[]): unknown {
  const { app } = context;
  if (thrown instanceof CommanderError) {
    return thrown.code === 'commander.help' ? undefined : usageError(thrown, buildProgram(context), argv);
  }
  // Ctrl-C at a prompt, and whatever an abort made fail on its way out.
  const name = thrown instanceof Error ? thrown.name : '';
  if (name === 'ExitPromptError' || name === 'AbortPromptError') {
    return app.signal.aborted ? app.signal.reason : new DbBackupError('INTERRUPTED', 'interrupted');
  }
  if (app.signal.aborted && !(thrown instanceof DbBackupError)) return app.signal.reason;
  return thrown;
}
