import { join } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import type { RestoreOutcome, RestoreRequest, SourceContext } from '../source.ts';
import { explain } from './failure.ts';
import { loadArchive } from './load-archive.ts';
import { loadScript } from './load-script.ts';
import { buildBeside } from './scratch.ts';
import type { Session } from './session.ts';
import { spoolArchive } from './spool-archive.ts';
import { examine, type Target } from './target.ts';

/** All or nothing: one transaction, or a database beside the target. */
export async function restore(
  session: Session,
  request: RestoreRequest,
  context: SourceContext,
): Promise<RestoreOutcome> {
  const spool = startSpool(session, request, context);
  try {
    const target = await examine(session, request, context);
    if (target.hasData && !request.clean) {
      throw new DbBackupError('TARGET_NOT_EMPTY', `the database ${target.database} already holds data`, {
        hint: 'Restore into an empty database (--database), or replace what is there with --clean.',
      });
    }
    const load = async (database: string) => {
      const input = spool ? ({ kind: 'file', path: await spool.path } as const) : request.input;
      await loadInto(session, { ...target, database }, { ...request, input }, context);
    };
    if (target.beside) await buildBeside(session, target, target.beside, request, context, load);
    else {
      // A role may have but one connection.
      await session.hangUp();
      await load(target.database);
    }
    return await outcome(session, target, request, context);
  } finally {
    await spool?.stop();
  }
}

interface Spool {
  /** Of the whole archive; rejects when it does not come whole. */
  readonly path: Promise<string>;
  /** Resolves when nothing is written any more. */
  stop(): Promise<void>;
}

/** Several workers need a file. While it comes, the place where it goes is made. */
function startSpool(
  { options }: Session,
  { input, jobs, restoreId }: RestoreRequest,
  context: SourceContext,
): Spool | undefined {
  if (jobs <= 1 || input.kind === 'file' || options.prefix !== undefined) return undefined;
  const { stream } = input;
  const path = context.temporaryFolder().then(async (folder) => {
    const file = join(folder, `restore-${restoreId}.dump`);
    await spoolArchive(stream, file, context.signal);
    return file;
  });
  path.catch(() => {});
  const stop = async () => {
    stream.destroy();
    await path.catch(() => {});
  };
  return { path, stop };
}

async function outcome(
  session: Session,
  target: Target,
  { tables }: RestoreRequest,
  context: SourceContext,
): Promise<RestoreOutcome> {
  const { version, major } = await session.suitToLoad(target.server, context);
  const older = major < target.server.major ? [olderPrograms(version, target)] : [];
  return { label: target.label, warnings: tables.length > 0 ? [...older, tablesOnly] : older };
}

const tablesOnly =
  'Only the tables and their rows were restored: pg_restore leaves their indexes, constraints, triggers and rights out.';

function olderPrograms(version: string, { server }: Target): string {
  return `The server, PostgreSQL ${server.version}, is newer than the programs here, ${version}: they have restored into it, but a backup of it needs newer ones (postgresql-client-${server.major}).`;
}

async function loadInto(
  session: Session,
  target: Target,
  request: RestoreRequest,
  context: SourceContext,
): Promise<void> {
  const load = request.format.name === 'plain' ? loadScript : loadArchive;
  try {
    await load(session, target, request, context);
  } catch (error) {
    throw explain(error, `the restore into ${target.database}`, roleHint(error));
  }
}

const missingRole = /role .* does not exist|must be (member of|able to SET) role/;

function roleHint(error: unknown): string | undefined {
  if (!(error instanceof Error && missingRole.test(error.message))) return undefined;
  return 'Create the role and grant it to this user, or leave owners and rights out: --no-owner --no-privileges (custom format).';
}
