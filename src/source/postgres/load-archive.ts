import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { capture, consume, filter, type ProgramSpec, produce } from '../../process/process.ts';
import type { RestoreRequest, SourceContext } from '../source.ts';
import { oldestReader } from './archive-reader.ts';
import { openTransaction } from './load-script.ts';
import { bytesOf, inFile, WantedTables } from './restore-input.ts';
import { GuardedScript, HeldArchive, transactionTimeoutSince } from './restore-stream.ts';
import { fromFileThere } from './restore-there.ts';
import type { Session } from './session.ts';
import { restorableList } from './supabase.ts';
import type { Target } from './target.ts';

/** By pg_restore; in one transaction, or by several workers where the database is a new one. */
export async function loadArchive(
  session: Session,
  target: Pick<Target, 'database' | 'server'>,
  request: RestoreRequest,
  context: SourceContext,
): Promise<void> {
  const client = await session.suitToLoad(target.server, context, await oldestReader(request.input));
  // It says, unasked, what such a server does not know: then it writes a script, which is mended on its way.
  const asScript = client.major >= transactionTimeoutSince && target.server.major < transactionTimeoutSince;
  if (!asScript) return loadDirectly(session, target, request, context);
  const guard = new GuardedScript({ server: target.server.major, psql: client.version });
  await loadAsScript(session, target, guard, request, context);
}

async function loadDirectly(
  session: Session,
  { database }: Pick<Target, 'database'>,
  request: RestoreRequest,
  context: SourceContext,
): Promise<void> {
  const { env, args } = session.connection.into(database);
  const how = request.jobs > 1 ? `--jobs=${request.jobs}` : '--single-transaction';
  const { spec, isPart } = await pgRestore(session, request, context, [...args, how]);
  const program = { ...spec, env };
  if (!isPart && request.jobs <= 1) {
    await pipeline(bytesOf(request), new HeldArchive(), consume(program).stdin);
  } else if (spec.prefix !== undefined) {
    const there = fromFileThere(program);
    await pipeline(bytesOf(request), new WantedTables(request), there.ending, consume(there.spec).stdin);
  } else {
    await capture(await readingFile(program, session, request, context));
  }
}

/** pg_restore makes a script of the archive, psql runs it in one transaction. */
async function loadAsScript(
  session: Session,
  { database, server }: Pick<Target, 'database' | 'server'>,
  guard: GuardedScript,
  request: RestoreRequest,
  context: SourceContext,
): Promise<void> {
  const { spec, isPart } = await pgRestore(session, request, context, ['--file=-']);
  if (request.jobs > 1) {
    context.log(
      'warning',
      `one worker instead of ${request.jobs}: a pg_restore newer than ${transactionTimeoutSince - 1} cannot connect its workers to PostgreSQL ${server.version}`,
    );
  }
  const psql = () => openTransaction(session, database, context);
  if (!isPart) {
    await pipeline(bytesOf(request), new HeldArchive(), filter(spec), guard, await psql());
  } else if (spec.prefix !== undefined) {
    const there = fromFileThere(spec);
    const stages = [new WantedTables(request), there.ending, filter(there.spec), guard] as const;
    await pipeline(bytesOf(request), ...stages, await psql());
  } else {
    const program = await readingFile(spec, session, request, context);
    await pipeline(produce(program).stdout, guard, await psql());
  }
}

interface PgRestore {
  readonly spec: ProgramSpec;
  /** Not all data is asked for: who restores a part may never ask for the bytes that are held back. */
  readonly isPart: boolean;
}

async function pgRestore(
  session: Session,
  request: RestoreRequest,
  context: SourceContext,
  more: readonly string[],
): Promise<PgRestore> {
  const chosen = [...choices(request), ...(session.options.restoreArguments ?? [])];
  // A pattern that matches nothing would be a restore of nothing.
  const args = ['--no-password', '--exit-on-error', '--strict-names', ...chosen, ...more];
  const spec = { ...(await session.spec('pg_restore', context)), args, largeBuffers: true };
  const isPart = session.options.preset === 'supabase' || chosen.some((argument) => !harmless.has(argument));
  return { spec, isPart };
}

/** The same, from a verified file. */
async function readingFile(
  spec: ProgramSpec,
  session: Session,
  request: RestoreRequest,
  context: SourceContext,
): Promise<ProgramSpec> {
  const path = await inFile(request, context);
  const list = session.options.preset === 'supabase' ? await restorableEntries(session, path, context) : [];
  return { ...spec, args: [...spec.args, ...list, path] };
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
