import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError } from '../../errors.ts';
import { capture, consume } from '../../process/process.ts';
import type { RestoreOutcome, RestoreRequest, SourceContext } from '../source.ts';
import { EndOfDumpCheck } from './end-of-dump.ts';
import { explain } from './failure.ts';
import { GuardedScript, HeldArchive } from './restore-stream.ts';
import { restoreThere } from './restore-there.ts';
import { buildBeside } from './scratch.ts';
import { psqlArguments, type Session } from './session.ts';
import { restorableList } from './supabase.ts';
import { examine } from './target.ts';

/** All or nothing: one transaction, or a database beside the target. */
export async function restore(
  session: Session,
  request: RestoreRequest,
  context: SourceContext,
): Promise<RestoreOutcome> {
  const target = await examine(session, request, context);
  if (target.hasData && !request.clean) {
    throw new DbBackupError('TARGET_NOT_EMPTY', `the database ${target.database} already holds data`, {
      hint: 'Restore into an empty database (--database), or replace what is there with --clean.',
    });
  }
  const load = (database: string) => loadInto(session, database, request, context);
  if (target.beside) await buildBeside(session, target, request, context, load);
  else await load(target.database);
  return { label: target.label, warnings: request.tables.length > 0 ? [tablesOnly] : [] };
}

const tablesOnly =
  'Only the tables and their rows were restored: pg_restore leaves their indexes, constraints, triggers and rights out.';

async function loadInto(
  session: Session,
  database: string,
  request: RestoreRequest,
  context: SourceContext,
): Promise<void> {
  try {
    if (request.format.name === 'plain') await loadScript(session, database, request, context);
    else await loadArchive(session, database, request, context);
  } catch (error) {
    throw explain(error, `the restore into ${database}`, roleHint(error));
  }
}

const missingRole = /role .* does not exist|must be (member of|able to SET) role/;

function roleHint(error: unknown): string | undefined {
  if (!(error instanceof Error && missingRole.test(error.message))) return undefined;
  return 'Create the role and grant it to this user, or leave owners and rights out: --no-owner --no-privileges (custom format).';
}

/** Line and statement of an error: of its standard input psql tells neither unless it is named as a file. */
const showErrors = ['--echo-errors', '--file=-'];

async function loadScript(
  session: Session,
  database: string,
  request: RestoreRequest,
  context: SourceContext,
): Promise<void> {
  const { env, args } = session.connection.to(database);
  const psql = consume({
    ...(await session.spec('psql', context)),
    args: [...psqlArguments, ...showErrors, ...args],
    env,
    // On the script's own first line, so that the lines in messages are the script's.
    stdinPrefix: Buffer.from('BEGIN; '),
    largeBuffers: true,
  });
  await pipeline(bytesOf(request), new GuardedScript(), psql.stdin);
}

async function loadArchive(
  session: Session,
  database: string,
  request: RestoreRequest,
  context: SourceContext,
): Promise<void> {
  const { env, args } = session.connection.into(database);
  const chosen = [...choices(request), ...(session.options.restoreArguments ?? [])];
  const isSupabase = session.options.preset === 'supabase';
  const all = ['--no-password', '--exit-on-error', ...chosen, ...args];
  const spec = { ...(await session.spec('pg_restore', context)), env, largeBuffers: true };
  const ofPart = isSupabase || chosen.some((argument) => !harmless.has(argument));
  if (spec.prefix !== undefined && (ofPart || request.jobs > 1)) {
    const how = request.jobs > 1 ? `--jobs=${request.jobs}` : '--single-transaction';
    await restoreThere({ ...spec, args: [...all, how] }, bytesOf(request), new WantedTables(request));
  } else if (request.jobs > 1) {
    const path = await inFile(request, context);
    await capture({ ...spec, args: [...all, `--jobs=${request.jobs}`, path] });
  } else if (ofPart) {
    // Who restores a part may never ask for the bytes that are held back: the part comes from a verified file.
    const path = await inFile(request, context);
    const list = isSupabase ? await restorableEntries(session, path, context) : [];
    await capture({ ...spec, args: [...all, ...list, '--single-transaction', path] });
  } else {
    const program = consume({ ...spec, args: [...all, '--single-transaction'] });
    await pipeline(bytesOf(request), new HeldArchive(), program.stdin);
  }
}

/** As an argument: the list of what the user of such a service may restore. */
async function restorableEntries(session: Session, path: string, context: SourceContext): Promise<readonly string[]> {
  const spec = await session.spec('pg_restore', context);
  const { stdout } = await capture({ ...spec, args: ['--list', path], env: { LC_ALL: 'C' } });
  const list = join(await context.temporaryFolder(), `list-${randomUUID()}`);
  await writeFile(list, restorableList(stdout), { mode: 0o600, flag: 'wx' });
  return [`--use-list=${list}`];
}

/** Options under which all data is still asked for. */
const harmless = new Set(['--no-owner', '--no-privileges']);

function choices(request: RestoreRequest): string[] {
  const args = request.tables.map((table) => `--table=${table}`);
  if (request.dataOnly) args.push('--data-only');
  if (request.schemaOnly) args.push('--schema-only');
  if (request.noOwner) args.push('--no-owner');
  if (request.noPrivileges) args.push('--no-privileges');
  return args;
}

function bytesOf({ input }: RestoreRequest): Readable {
  return input.kind === 'stream' ? input.stream : createReadStream(input.path);
}

/** The whole archive in a file; throws when one of the wanted tables is not in it. */
async function inFile(request: RestoreRequest, context: SourceContext): Promise<string> {
  const { input, tables } = request;
  if (input.kind === 'file' && tables.length === 0) return input.path;
  const path =
    input.kind === 'file' ? input.path : join(await context.temporaryFolder(), `restore-${request.restoreId}.dump`);
  const sink = input.kind === 'file' ? discard() : createWriteStream(path, { mode: 0o600, flags: 'wx' });
  await pipeline(bytesOf(request), new WantedTables(request), sink);
  return path;
}

/** Ends well only when a whole archive has passed, and all wanted tables are in it. */
class WantedTables extends EndOfDumpCheck {
  readonly #wanted: readonly string[];

  constructor({ format, tables }: RestoreRequest) {
    super(format);
    this.#wanted = tables;
  }

  override _flush(done: (error?: Error | null) => void): void {
    super._flush((error) => done(error ?? this.#missing()));
  }

  #missing(): DbBackupError | null {
    const held = Object.keys(this.tables());
    const missing = this.#wanted.find((table) => !held.some((name) => name.endsWith(`.${table}`)));
    if (missing === undefined) return null;
    return new DbBackupError('TARGET_FAILED', `the backup holds no table ${missing}`, {
      hint: 'Give the bare name, without its schema; "dbbackup show" lists the tables.',
    });
  }
}

function discard(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
