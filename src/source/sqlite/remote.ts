/**
 * A SQLite file that lies where a prefix leads, by the `sqlite3` program there.
 * Guarantees: what the local source guarantees. A copy is made there (SQLite's backup API, one snapshot) in a private
 * temporary folder, checked, and streamed here; a restore is built and checked beside the target there, and takes its
 * place only when it has arrived whole. Those folders go whatever ends the run.
 */
import { basename } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import { type Finding, fail, ok } from '../../finding.ts';
import { capture, openPrefix, type ProgramSpec } from '../../process/process.ts';
import { formatBytes } from '../../value/figure.ts';
import type { CheckContext, Inspection, RestoreTarget, Source, SourceContext } from '../source.ts';
import { binaryFormat, sqlFormat } from './format.ts';
import { busyTimeoutMs, type SqliteOptions } from './options.ts';
import { dumpRemoteBinary, dumpRemoteSql } from './remote-dump.ts';
import { restoreRemote, unfitTarget } from './remote-restore.ts';
import { lookScript, targetScript } from './remote-shell.ts';
import { assertUsable } from './sqlite3-program.ts';

export interface RemoteFile {
  readonly version: string;
  /** Of the file and of its -wal: as much as a copy can need. */
  readonly bytes: number;
  readonly journalMode: 'wal' | 'rollback';
  /** Bytes where the copy is made; undefined when they are not known. */
  readonly freeBytes: number | undefined;
}

/** One file, and the way to it. */
export class RemoteDatabase {
  readonly path: string;
  readonly words: readonly string[];
  readonly busyTimeoutMs: number;

  constructor(options: SqliteOptions, words: readonly string[]) {
    this.path = options.path;
    this.words = words;
    this.busyTimeoutMs = busyTimeoutMs(options);
  }

  /** For people. */
  get label(): string {
    return `${this.path} by ${this.words.join(' ')}`;
  }

  get name(): string {
    return basename(this.path);
  }

  /** `sh -c script path …args` there, under the name of what it runs. */
  async spec(script: string, args: readonly string[], { signal, idleTimeoutMs }: SourceContext): Promise<ProgramSpec> {
    return {
      ...{ command: 'sh', args: ['-c', script, 'sh', this.path, ...args], name: 'sqlite3' },
      prefix: await openPrefix(this.words, signal),
      ...{ signal, idleTimeoutMs },
    };
  }

  /** Looks without opening it as a database. Throws TOOL_MISSING, TOOL_TOO_OLD, SOURCE_FAILED, DUMP_EMPTY. */
  async look(context: SourceContext): Promise<RemoteFile> {
    const { stdout } = await capture(await this.spec(lookScript, [], context));
    const [program = '', version = '', state = '', bytes, walBytes, mode, freeKib] = stdout.split('\n');
    assertUsable(program, version, ` by "${this.words.join(' ')}"`);
    if (state !== 'database') throw unfitSource(this.label, state);
    return {
      version: version.split(' ')[0] ?? '',
      bytes: Number(bytes) + Number(walBytes),
      journalMode: Number(mode) === 2 ? 'wal' : 'rollback',
      freeBytes: freeKib ? Number(freeKib) * 1024 : undefined,
    };
  }
}

const problems: Readonly<Record<string, string>> = {
  missing: 'does not exist there',
  special: 'is not a regular file',
  unreadable: 'may not be read',
  empty: 'is empty (0 bytes)',
};

function unfitSource(label: string, state: string): DbBackupError {
  const problem = problems[state] ?? 'is not a SQLite database, or it is encrypted';
  return new DbBackupError(state === 'empty' ? 'DUMP_EMPTY' : 'SOURCE_FAILED', `${label} ${problem}`, {
    hint: 'Check "path" (a relative one begins where programs start there) and the rights of the user there.',
  });
}

export function openRemote(options: SqliteOptions, words: readonly string[]): Source {
  const database = new RemoteDatabase(options, words);
  // A run inspects first; asking the same again would only cost time.
  let file: RemoteFile | undefined;
  return {
    identity: { fingerprintParts: ['sqlite', ...words, options.path], label: database.label },
    inspect: async (context) => {
      file = await database.look(context);
      return inspect(database, file);
    },
    dump: async ({ format }, context) => {
      const dump = format.name === sqlFormat.name ? dumpRemoteSql : dumpRemoteBinary;
      return dump(database, file ?? (await database.look(context)), context);
    },
    examineTarget: (_request, context) => examineTarget(database, context),
    restore: (request, context) => restoreRemote(database, request, context),
    check: (context) => checkRemote(database, context),
  };
}

function inspect({ name }: RemoteDatabase, { version, bytes }: RemoteFile): Inspection {
  const tool = `SQLite ${version}`;
  return { tool, toolVersion: version, databases: [name], estimatedBytes: bytes, warnings: [] };
}

async function examineTarget(database: RemoteDatabase, context: SourceContext): Promise<RestoreTarget> {
  const { stdout } = await capture(await database.spec(targetScript, [], context));
  const [program = '', version = '', state = '', openers = ''] = stdout.split('\n');
  assertUsable(program, version, ` by "${database.words.join(' ')}"`);
  if (openers !== '') throw unfitTarget(database, `in-use process${openers} has it open`);
  if (!['new', 'empty', 'database', 'leftovers'].includes(state)) throw unfitTarget(database, state);
  return { label: database.label, hasData: state === 'database' || state === 'leftovers' };
}

async function* checkRemote(database: RemoteDatabase, context: CheckContext): AsyncGenerator<Finding> {
  const { version, bytes, freeBytes, journalMode } = await database.look(context);
  yield ok(`${database.label} is a SQLite database of ${formatBytes(bytes)}, read by SQLite ${version} there`);
  if (journalMode === 'wal') yield ok('it is in WAL mode: the user there must be able to write to its folder');
  if (freeBytes === undefined || !context.formats.includes(binaryFormat.name)) return;
  const room = `${formatBytes(bytes)} for the copy, ${formatBytes(freeBytes)} free there`;
  if (freeBytes >= bytes) yield ok(room);
  else
    yield fail(
      `no room: ${room}`,
      'Free some space there, set TMPDIR there, or use "format: sql", which needs no copy.',
    );
}
