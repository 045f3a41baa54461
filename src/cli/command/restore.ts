import type { Command } from 'commander';
import { DbBackupError } from '../../errors.ts';
import type { RestoreOptions } from '../../operation/restore/restore.ts';
import { type CommandContext, collect, newCommand, positiveInteger, runAction } from '../command.ts';
import { askConsent } from '../consent.ts';
import { formatBytes, formatDuration } from '../format.ts';

type Renamed = 'databases' | 'map' | 'tables' | 'noOwner' | 'noPrivileges';

interface RestoreFlags extends Partial<Omit<RestoreOptions, Renamed>> {
  readonly database?: readonly string[];
  readonly map?: readonly string[];
  readonly table?: readonly string[];
  readonly owner?: boolean;
  readonly privileges?: boolean;
  readonly output?: string;
  readonly identity?: readonly string[];
  readonly trust?: readonly string[];
  readonly yes?: boolean;
}

export function restoreCommand(context: CommandContext): Command {
  return newCommand('restore')
    .description('bring a backup back: into a database, or as a plain dump into a file')
    .argument('<file>', 'a path, destination:key, a backup id or its first six digits, job@latest, job@2026-11-20')
    .option('--to <target>', 'a source of the config, a URL (postgres://user@host/db) or the path of a SQLite file')
    .option('--output <path>', 'write the decrypted, decompressed dump to this new file instead; - for stdout')
    .option(
      '--database <name>',
      'another database than the one in --to; of a bundle: only this one (repeatable)',
      collect,
    )
    .option('--map <name=other>', 'of a bundle: this database into one of another name (repeatable)', collect)
    .option('--globals', 'of a bundle: roles and tablespaces also with --database')
    .option('--no-globals', 'of a bundle: leave roles and tablespaces as they are')
    .option('--create', 'create the database first')
    .option('--clean', 'replace what the target holds')
    .option('--table <name>', 'only this table (repeatable)', collect)
    .option('--data-only', 'rows without definitions')
    .option('--schema-only', 'definitions without rows')
    .option('--no-owner', 'leave out who owns what')
    .option('--no-privileges', 'leave out GRANT and REVOKE')
    .option('--jobs <n>', 'restore with so many workers, where the format can', positiveInteger)
    .option('--trust <key>', 'refuse what this public signing key (or file) has not signed (repeatable)', collect)
    .option('--identity <file>', 'key file for an encrypted backup (repeatable)', collect)
    .option('--yes', 'do not ask before replacing data')
    .option('--dry-run', 'check backup and target; change nothing')
    .addHelpText('after', examples)
    .action(
      runAction<RestoreFlags>(context, async ({ args, options }, output) => {
        const { openReporter } = await import('../progress/reporter.ts');
        const { openRuntime } = await import('../open-runtime.ts');
        const reporter = await openReporter(context.app, output);
        const runtime = await openRuntime(context.app, options, output, {
          config: 'optional',
          state: 'preferred',
          emit: reporter.report.bind(reporter),
          quieten: () => reporter.stop(),
          consent: askConsent(context.app, options.yes ?? false),
          identity: options.identity,
          trust: options.trust,
        });
        const reference = args[0] ?? '';
        try {
          if (options.output !== undefined) {
            if (options.to !== undefined)
              throw new DbBackupError('USAGE', '--to and --output exclude each other', {
                hint: 'With --to a database is filled, with --output the plain dump is written to a file.',
              });
            const { restoreToFile } = await import('./download.ts');
            await restoreToFile(
              reference,
              options.database ?? [],
              options.output,
              runtime,
              context.app,
              output,
              reporter,
            );
            return;
          }
          const { restore } = await import('../../operation/restore/restore.ts');
          const done = await restore(reference, toOptions(options), runtime);
          reporter.stop();
          const json = {
            ...done,
            backup: { on: done.backup.on.name, key: done.backup.key, id: done.backup.sidecar?.id },
          };
          output.result({ type: 'result', ...json }, () =>
            done.dryRun
              ? `${output.color.green('✓')} ${done.backup.key} can be restored into ${done.label}; nothing was changed`
              : `${output.color.green('✓')} restored ${done.backup.key} into ${done.label}: ${formatBytes(done.rawBytes)} in ${formatDuration(done.durationMs)}`,
          );
        } finally {
          reporter.stop();
          runtime.history.close();
        }
      }),
    );
}

const examples = `
Examples:
  $ dbbackup restore example@latest --to ./copy.sqlite
  $ dbbackup restore ./shop_2026-11-20T03-00-00-123Z_4f9c01.dump.zst --to postgres://me@db/empty
  $ dbbackup restore 4f9c01 --to shop --clean          replace the data in the source "shop" (asks first)
  $ dbbackup restore cache@latest --to /var/lib/redis  the data folder of a stopped Redis
  $ dbbackup restore 4f9c01 --output - | less          look at the dump itself
  $ dbbackup restore server@latest --to postgres://me@new/ --create            every database of a bundle
  $ dbbackup restore server@latest --database shop --map shop=copy --create    one of them, under another name

The target is examined before a byte is read, and commits only after the whole backup has been
authenticated and has matched its sidecar. Without a config: name the file and --to.`;

function toOptions(flags: RestoreFlags): RestoreOptions {
  return {
    to: flags.to,
    databases: flags.database ?? [],
    map: flags.map ?? [],
    globals: flags.globals,
    create: flags.create ?? false,
    clean: flags.clean ?? false,
    dataOnly: flags.dataOnly ?? false,
    schemaOnly: flags.schemaOnly ?? false,
    noOwner: flags.owner === false,
    noPrivileges: flags.privileges === false,
    tables: flags.table ?? [],
    jobs: flags.jobs ?? 1,
    dryRun: flags.dryRun ?? false,
  };
}
