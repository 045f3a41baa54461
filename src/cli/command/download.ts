import type { Command } from 'commander';
import { DbBackupError } from '../../errors.ts';
import type { DownloadChoice } from '../../operation/restore/download.ts';
import type { Runtime } from '../../operation/runtime.ts';
import type { App } from '../app.ts';
import { type CommandContext, collect, newCommand, runAction } from '../command.ts';
import { formatBytes } from '../format.ts';
import type { Output } from '../output.ts';
import type { Reporter } from '../progress/reporter.ts';

interface DownloadFlags {
  readonly decrypt?: boolean;
  readonly decompress?: boolean;
  readonly output?: string;
  readonly identity?: readonly string[];
  readonly trust?: readonly string[];
}

export function downloadCommand(context: CommandContext): Command {
  return newCommand('download')
    .description('fetch a backup into a new file, verified on the way')
    .argument('<file>', 'destination:key, a backup id or its first six digits, job@latest, a path')
    .option('--decrypt', 'decrypt it')
    .option('--decompress', 'decompress it')
    .option('-o, --output <path>', 'new file, or - for stdout; default: its own name in this folder')
    .option('--trust <key>', 'refuse what this public signing key (or file) has not signed (repeatable)', collect)
    .option('--identity <file>', 'key file for --decrypt (repeatable)', collect)
    .addHelpText('after', examples)
    .action(
      runAction<DownloadFlags>(context, async ({ args, options }, output) => {
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
        const choice = { decrypt: options.decrypt ?? false, decompress: options.decompress ?? false };
        try {
          await fetchInto(args[0] ?? '', choice, options.output, runtime, context.app, output, reporter);
        } finally {
          reporter.stop();
          runtime.history.close();
        }
      }),
    );
}

const examples = `
Examples:
  $ dbbackup download example@latest
  $ dbbackup download 4f9c01 --decrypt --decompress -o shop.sql`;

/** `restore --output`: the plain dump; of a bundle, with `--database`, that of one of its databases. */
export function restoreToFile(
  reference: string,
  databases: readonly string[],
  path: string,
  runtime: Runtime,
  app: App,
  output: Output,
  reporter: Reporter,
): Promise<void> {
  if (databases.length > 1) throw new DbBackupError('USAGE', '--output takes one --database');
  return fetchInto(
    reference,
    { decrypt: true, decompress: true, database: databases[0] },
    path,
    runtime,
    app,
    output,
    reporter,
  );
}

async function fetchInto(
  reference: string,
  choice: DownloadChoice,
  path: string | undefined,
  runtime: Runtime,
  app: App,
  output: Output,
  reporter: Reporter,
): Promise<void> {
  const { download } = await import('../../operation/restore/download.ts');
  const toStdout = path === '-';
  if (toStdout && output.json) throw new DbBackupError('USAGE', '--json and data both want stdout; leave one out');
  const done = await download(reference, choice, toStdout ? app.stdout : path, runtime);
  reporter.stop();
  const summary = `${output.color.green('✓')} ${done.backup.key}: ${formatBytes(done.bytes)} written${done.path ? ` to ${done.path}` : ''}`;
  if (toStdout) output.say(summary);
  else
    output.result(
      { type: 'result', key: done.backup.key, path: done.path, bytes: done.bytes, sha256: done.sha256 },
      () => summary,
    );
}
