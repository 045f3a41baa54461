import type { Command } from 'commander';
import { DbBackupError, exitCodes } from '../../errors.ts';
import type { Runtime } from '../../operation/runtime.ts';
import type { StoredBackup } from '../../operation/storage/stored-backup.ts';
import type { VerifyResult } from '../../operation/verify.ts';
import { type CommandContext, collect, newCommand, runAction } from '../command.ts';
import { formatBytes, formatDuration } from '../format.ts';
import type { Output } from '../output.ts';
import type { Reporter } from '../progress/reporter.ts';

interface VerifyFlags {
  readonly job?: string;
  readonly all?: boolean;
  readonly identity?: readonly string[];
  readonly trust?: readonly string[];
}

export function verifyCommand(context: CommandContext): Command {
  return newCommand('verify')
    .description('read every stored byte: size, sha256, authentication, decompression, end of dump')
    .argument('[file]', 'a path, destination:key, a backup id or its first six digits, job@latest')
    .option('--job <name>', 'every backup of this job')
    .option('--all', 'every backup at every destination')
    .option('--trust <key>', 'refuse what this public signing key (or file) has not signed (repeatable)', collect)
    .option('--identity <file>', 'key file for encrypted backups (repeatable)', collect)
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup verify example@latest\n  $ dbbackup verify --job example\n  $ dbbackup verify --all --quiet',
    )
    .action(
      runAction<VerifyFlags>(context, async ({ args, options }, output) => {
        const { openReporter } = await import('../progress/reporter.ts');
        const { openRuntime } = await import('../open-runtime.ts');
        const reporter = await openReporter(context.app, output);
        const emit = reporter.report.bind(reporter);
        const runtime = await openRuntime(context.app, options, output, {
          config: 'optional',
          state: 'preferred',
          emit,
          quieten: () => reporter.stop(),
          identity: options.identity,
          trust: options.trust,
        });
        try {
          const backups = await choose(args[0], options, runtime, output);
          if (backups.length === 0) output.say('no backups to verify');
          const unopened = await verifyEach(backups, runtime, reporter, output);
          return unopened > 0 ? exitCodes.WARNING : exitCodeOf(backups, output);
        } finally {
          reporter.stop();
          runtime.history.close();
        }
      }),
    );
}

/** Returns how many could not be opened; throws when one is not what it should be, with many after the last. */
async function verifyEach(
  backups: readonly StoredBackup[],
  runtime: Runtime,
  reporter: Reporter,
  output: Output,
): Promise<number> {
  const { outcomeOf, verify } = await import('../../operation/verify.ts');
  const failures = new Map<string, number>();
  let unopened = 0;
  for (const backup of backups) {
    try {
      const done = await verify(backup, runtime);
      reporter.stop();
      if (done.unopened) unopened += 1;
      (done.unopened ? tellUnopened : tell)(done, output);
    } catch (error) {
      reporter.stop();
      if (backups.length === 1 || runtime.signal.aborted) throw error;
      const outcome = outcomeOf(error);
      failures.set(outcome, (failures.get(outcome) ?? 0) + 1);
      output.failure(error, { destination: backup.on.name, key: backup.key });
    }
  }
  if (failures.size === 0) return unopened;
  const told = [...failures].map(([outcome, count]) => `${count} ${outcome.replace(/^is /, '')}`);
  throw new DbBackupError('INTEGRITY', `of ${backups.length} backups: ${told.join(', ')}`);
}

/** Without a sidecar nothing tells what the bytes should be. */
function exitCodeOf(backups: readonly StoredBackup[], output: Output): number {
  const unproven = backups.some((backup) => !backup.sidecar);
  return output.warned || unproven ? exitCodes.WARNING : 0;
}

function tell({ backup, rawBytes = 0, storedBytes, durationMs, isKnown }: VerifyResult, output: Output): void {
  const json = { type: 'result', destination: backup.on.name, key: backup.key, result: isKnown ? 'passed' : 'unknown' };
  const mark = backup.sidecar ? output.color.green('✓') : output.color.yellow('!');
  const unproven = isKnown
    ? 'readable to its end, with nothing to compare it with'
    : 'nothing is known of it: no sidecar, and no format that dbbackup knows';
  const what = backup.sidecar ? 'every byte is as it was' : unproven;
  const size = `${formatBytes(storedBytes)} stored, ${formatBytes(rawBytes)} raw, ${formatDuration(durationMs)}`;
  output.result(
    { ...json, rawBytes, storedBytes, durationMs },
    () => `${mark} ${backup.on.name}:${backup.key}: ${what} (${size})`,
  );
}

/** A host that only makes backups has no key to read them: what it can tell is told for what it is. */
function tellUnopened({ backup, storedBytes, durationMs }: VerifyResult, output: Output): void {
  const json = { type: 'result', destination: backup.on.name, key: backup.key, result: 'unopened' };
  const size = `${formatBytes(storedBytes)} stored, ${formatDuration(durationMs)}`;
  const what = 'could not be verified: no key was given. Its stored bytes and encryption header are as recorded';
  output.result(
    { ...json, storedBytes, durationMs },
    () => `${output.color.yellow('!')} ${backup.on.name}:${backup.key} ${what}; nothing was opened (${size})`,
  );
}

async function choose(
  file: string | undefined,
  flags: VerifyFlags,
  runtime: Runtime,
  output: Output,
): Promise<readonly StoredBackup[]> {
  if ([file !== undefined, flags.job !== undefined, flags.all === true].filter(Boolean).length !== 1) {
    throw new DbBackupError('USAGE', 'verify what?', { hint: 'Name one backup, or say --job <name> or --all.' });
  }
  if (file !== undefined) {
    const { resolveBackup } = await import('../../operation/storage/find-backup.ts');
    return [await resolveBackup(file, runtime)];
  }
  const { describeFailure, list } = await import('../../operation/storage/list.ts');
  const listing = await list(
    { destinations: [], jobs: flags.job === undefined ? undefined : [flags.job], incomplete: true, fresh: true },
    runtime,
  );
  const [failure] = listing.failures;
  if (failure) throw new DbBackupError('DESTINATION_FAILED', describeFailure(failure), { cause: failure.error });
  for (const { on, key } of listing.backups.filter(isHalfDeleted))
    output.say(`${on.name}:${key}: passed over, its deletion was interrupted; the next prune or cleanup finishes it`);
  return listing.backups.filter((backup) => backup.condition !== 'orphan' && !isHalfDeleted(backup));
}

/** No backup any more: it was to go, and the half of it that is left proves nothing. */
function isHalfDeleted({ condition }: StoredBackup): boolean {
  return condition === 'deleting';
}
