import { pipeline } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import { produce } from '../../process/process.ts';
import type { Dump, DumpRequest, SourceContext, TableFilter } from '../source.ts';
import type { Client } from './client.ts';
import { EndOfDumpCheck } from './end-of-dump.ts';
import type { Facts } from './facts.ts';
import { explain } from './failure.ts';
import { refuseForeignClient } from './foreign-client.ts';
import { HeaderInsertion } from './header-insertion.ts';
import { largestPacket, type Session } from './session.ts';

/** Starts the dump tool; the stream's end means exit 0 and a whole script. */
export async function startDump(
  session: Session,
  facts: Facts,
  request: DumpRequest,
  context: SourceContext,
): Promise<Dump> {
  const { database, defaults, version } = facts;
  if (defaults === undefined) {
    throw new DbBackupError(
      'SOURCE_FAILED',
      `there is no database ${database} at ${session.label('')}, or it is not shown to this user`,
      {
        hint: 'Check the name (letter case counts) and the rights of the user.',
      },
    );
  }
  const client = await session.client(context);
  const tables = dumped(request.filter, facts);
  refuseForeignClient(facts, client, request.backupType, tables);
  const spec = await session.spec('dump', context);
  const own = [...dumpArguments(request, facts, client), ...(session.options.dumpArguments ?? [])];
  const args = [...spec.args, ...own, '--', database, ...((request.filter.include ?? []).length > 0 ? tables : [])];
  const program = produce({ ...spec, args, largeBuffers: true });
  const insertion = new HeaderInsertion(database, request.backupType === 'data' ? undefined : defaults);
  const check = new EndOfDumpCheck();
  program.stdout.once('error', (error) => check.destroy(explain(error, `the dump of ${database}`)));
  pipeline(program.stdout, insertion, check, () => {});
  return {
    stream: check,
    contents: async () => [{ name: database, tables: check.tables(), properties: { server: version, ...defaults } }],
  };
}

/** Said even where they are the default: option files may say otherwise, and `force` would dump half. */
const always = [
  ...['--opt', '--single-transaction', '--quick', '--skip-lock-tables', '--hex-blob', '--no-tablespaces', '--tz-utc'],
  ...['--default-character-set=utf8mb4', '--comments', '--skip-dump-date', '--skip-force', largestPacket],
];

export function dumpArguments(
  { backupType, filter }: DumpRequest,
  { server, database, tables }: Facts,
  client: Client,
): string[] {
  const args = [...always];
  const whole = backupType !== 'data' && (filter.include ?? []).length === 0;
  args.push(whole ? '--routines' : '--skip-routines', whole ? '--events' : '--skip-events');
  if (backupType === 'schema') args.push('--no-data');
  args.push(...(backupType === 'data' ? ['--no-create-info', '--skip-triggers'] : ['--triggers']));
  if (client.flavour === 'mysql') {
    args.push('--set-gtid-purged=OFF');
    // It asks for histograms that MariaDB and MySQL 5 do not have.
    if (client.rank >= 8000) args.push('--column-statistics=0');
  } else if (client.rank >= 10_011 && server.flavour === 'mariadb' && server.rank >= 10_011) {
    // Rows of the past in system-versioned tables.
    args.push('--dump-history');
  }
  const names = tables.map(({ name }) => name);
  args.push(...matching(filter.exclude ?? [], names).map((name) => `--ignore-table=${database}.${name}`));
  return args;
}

/** Throws where nothing is left of what is included: to the programs, no table means every table. */
function dumped({ include = [], exclude = [] }: TableFilter, { tables }: Facts): readonly string[] {
  const names = tables.map(({ name }) => name);
  const left = matching(exclude, names);
  const wanted = (include.length > 0 ? matching(include, names) : names).filter((name) => !left.includes(name));
  if (include.length === 0 || wanted.length > 0) return wanted;
  throw new DbBackupError('SOURCE_FAILED', `"tables" excludes all that it includes: ${include.join(', ')}`, {
    hint: 'Take a pattern away from "exclude", or another into "include".',
  });
}

/** Names that fit a pattern with `*`. A pattern that matches nothing is a table that is not in the backup: it throws. */
export function matching(patterns: readonly string[], names: readonly string[]): string[] {
  const found = patterns.flatMap((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
    const expression = new RegExp(`^${parts.join('[\\s\\S]*')}$`, 'u');
    const fitting = names.filter((name) => expression.test(name));
    if (fitting.length > 0) return fitting;
    throw new DbBackupError('SOURCE_FAILED', `no table matches "${pattern}"`, {
      hint: 'Correct the pattern in "tables": a name, or parts of one with * for any letters; letter case counts.',
    });
  });
  return [...new Set(found)];
}
