import { pipeline } from 'node:stream';
import { produce } from '../../process/process.ts';
import type { Dump, DumpRequest, SourceContext } from '../source.ts';
import { EndOfDumpCheck } from './end-of-dump.ts';
import type { Facts } from './facts.ts';
import { explain } from './failure.ts';
import type { Session } from './session.ts';
import { withoutManaged } from './supabase.ts';

/** Starts pg_dump; the stream's end means exit 0 and a whole dump. */
export async function startDump(
  session: Session,
  facts: Facts,
  request: DumpRequest,
  context: SourceContext,
): Promise<Dump> {
  const { database, encoding, collation, ctype, extensions } = facts;
  await session.suit(facts, context);
  const access = session.connection.to();
  const isSupabase = session.options.preset === 'supabase';
  const filter = isSupabase ? withoutManaged(request.filter) : request.filter;
  const args = [...dumpArguments({ ...request, filter }), ...(session.options.dumpArguments ?? []), ...access.args];
  const program = produce({ ...(await session.spec('pg_dump', context)), args, env: access.env, largeBuffers: true });
  const check = new EndOfDumpCheck(request.format);
  program.stdout.once('error', (error) => check.destroy(explain(error, `the dump of ${database}`)));
  pipeline(program.stdout, check, () => {});
  return {
    stream: check,
    contents: async () => [
      {
        name: database,
        tables: check.tables(),
        properties: {
          encoding,
          collation,
          ...(ctype !== collation && { ctype }),
          extensions,
          ...(isSupabase && { preset: 'supabase' }),
        },
      },
    ],
  };
}

function dumpArguments({ format, backupType, filter }: DumpRequest): string[] {
  const args = ['--no-password', `--format=${format.name}`];
  // Compressing is the pipeline's work, and rows are only counted in what is not compressed.
  if (format.name === 'custom') args.push('--compress=0');
  if (backupType === 'schema') args.push('--schema-only');
  if (backupType === 'data') args.push('--data-only');
  const { include = [], exclude = [], includeSchemas = [], excludeSchemas = [] } = filter;
  // A pattern that matches nothing is a table that is not in the backup.
  if (include.length + includeSchemas.length > 0) args.push('--strict-names');
  args.push(...include.map((pattern) => `--table=${pattern}`));
  args.push(...exclude.map((pattern) => `--exclude-table=${pattern}`));
  args.push(...includeSchemas.map((pattern) => `--schema=${pattern}`));
  args.push(...excludeSchemas.map((pattern) => `--exclude-schema=${pattern}`));
  return args;
}
