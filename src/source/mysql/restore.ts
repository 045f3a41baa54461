import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError, messageOf } from '../../errors.ts';
import { consume } from '../../process/process.ts';
import type { RestoreOutcome, RestoreRequest, SourceContext } from '../source.ts';
import { buildBeside } from './beside.ts';
import { explain, failedLine } from './failure.ts';
import { GuardedScript, type ScriptChoice } from './guarded-script.ts';
import { clientArguments, identifier, largestPacket, type Session } from './session.ts';
import { examine, filledTables, type Target } from './target.ts';

const cleanupMs = 60_000;

/**
 * Where there is nothing to lose, right into the target, which is as it was before after a failure; otherwise into a
 * database beside it, whose tables take the place of the old ones at the end.
 */
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
  const load = (database: string, choice: Partial<ScriptChoice>) =>
    loadInto(session, database, request, choice, context);
  if (target.beside) await buildBeside(session, target, request, context, load);
  else await loadOrUndo(session, target, request, context, load);
  return { label: target.label, warnings: request.tables.length > 0 && !request.dataOnly ? [tablesOnly] : [] };
}

const tablesOnly = 'Only the tables and their rows were restored: triggers, views, routines and events were left out.';

export type Load = (database: string, choice: Partial<ScriptChoice>) => Promise<void>;

async function loadOrUndo(
  session: Session,
  target: Target,
  request: RestoreRequest,
  context: SourceContext,
  load: Load,
): Promise<void> {
  const { database, facts } = target;
  const undo = await undoOf(session, target, request, context);
  if (facts.defaults === undefined) await session.query(`CREATE DATABASE ${identifier(database)};`, context);
  try {
    await load(database, {});
  } catch (error) {
    // The execution's own signal may be what ended the restore.
    const own = { ...context, signal: AbortSignal.timeout(cleanupMs), idleTimeoutMs: undefined };
    await session.query(undo, own).catch((trouble: unknown) => {
      context.log('warning', `what the failed restore left in ${database} could not be removed: ${messageOf(trouble)}`);
    });
    throw error;
  }
}

/** The script that takes the target back to what it is now. */
async function undoOf(
  session: Session,
  { database, facts }: Target,
  request: RestoreRequest,
  context: SourceContext,
): Promise<string> {
  const name = identifier(database);
  const inIt = (table: string) => `${name}.${identifier(table)}`;
  const loose = 'SET SESSION foreign_key_checks = 0;';
  if (facts.defaults === undefined) return `DROP DATABASE ${name};`;
  if (request.dataOnly) {
    const emptied = filledTables(request, facts).map((table) => `TRUNCATE TABLE ${inIt(table)};`);
    return [loose, ...emptied].join('\n');
  }
  if (request.tables.length > 0) return `${loose}\nDROP TABLE IF EXISTS ${request.tables.map(inIt).join(', ')};`;
  const [[, creation] = []] = await session.query(`SHOW CREATE DATABASE ${name};`, context);
  return `DROP DATABASE ${name};\n${creation};`;
}

async function loadInto(
  session: Session,
  database: string,
  request: RestoreRequest,
  choice: Partial<ScriptChoice>,
  context: SourceContext,
): Promise<void> {
  const { dataOnly, schemaOnly, tables } = request;
  const script = new GuardedScript({ dataOnly, schemaOnly, tables, withholdEvents: false, ...choice });
  const spec = await session.spec('shell', context);
  const args = [...spec.args, ...clientArguments, largestPacket, `--database=${database}`];
  const client = consume({ ...spec, args, largeBuffers: true });
  try {
    await pipeline(bytesOf(request), script, client.stdin);
  } catch (error) {
    const line = failedLine(error);
    const statement = line === undefined ? undefined : script.statementAt(line);
    throw explain(error, `the restore into ${database}`, statement && `\nThe statement: ${statement}`);
  }
}

function bytesOf({ input }: RestoreRequest): Readable {
  return input.kind === 'stream' ? input.stream : createReadStream(input.path);
}
