/** Reads executions: one by its id, pages of them, and the statistics of a job. */
import { and, asc, count, desc, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import { DbBackupError } from '../errors.ts';
import { toExecution } from './execution-row.ts';
import type { Execution, ExecutionPage, ExecutionQuery, JobStatistics, SampleChoice } from './history.ts';
import { destinationTable, executionTable } from './schema.ts';

type Tables = BetterSQLite3Database;
type ExecutionRow = typeof executionTable.$inferSelect;

/** As a limit: no limit. */
export const everything = -1;

export function findExecution(tables: Tables, idOrPrefix: string): Execution | undefined {
  const prefix = idOrPrefix.toLowerCase();
  if (!/^[0-9a-f-]{1,36}$/.test(prefix)) return undefined;
  // `g` comes after every hex digit and the hyphen, so the primary key serves the prefix.
  const within = and(gte(executionTable.id, prefix), lt(executionTable.id, `${prefix}g`));
  const rows = tables.select().from(executionTable).where(within).limit(5).all();
  if (rows.length > 1) throw ambiguous(idOrPrefix, rows);
  return withDestinations(tables, rows)[0];
}

export function listExecutions(tables: Tables, query: ExecutionQuery): ExecutionPage {
  const matching = and(...conditions(query));
  const column = executionTable[query.sort ?? 'startedAt'];
  const rows = tables
    .select()
    .from(executionTable)
    .where(matching)
    .orderBy(query.order === 'asc' ? asc(column) : desc(column))
    .limit(query.limit ?? 50)
    .offset(query.offset ?? 0)
    .all();
  const total = tables.select({ total: count() }).from(executionTable).where(matching).get()?.total ?? 0;
  return { executions: withDestinations(tables, rows), total };
}

/** "Good" is completed: a partial or suspect run says nothing about what is normal. */
export function jobStatistics(tables: Tables, job: string, { config, runs = 10, since }: SampleChoice): JobStatistics {
  const started = ['running', 'completed', 'partial', 'failed', 'cancelled', 'interrupted', 'suspect'] as const;
  const of = (query: ExecutionQuery) => listExecutions(tables, { ...query, job, config, kind: 'backup' });
  const sample = of({ status: 'completed', since, limit: runs }).executions;
  return {
    job,
    lastRun: of({ status: started, limit: 1 }).executions[0],
    lastGood: of({ status: 'completed', limit: 1 }).executions[0],
    total: of({ limit: 0 }).total,
    successful: of({ status: 'completed', limit: 0 }).total,
    failed: of({ status: ['failed', 'interrupted'], limit: 0 }).total,
    sampled: sample.length,
    medianDurationMs: median(sample.map((run) => run.durationMs)),
    medianRawBytes: median(sample.map((run) => run.rawBytes)),
    medianStoredBytes: median(sample.map((run) => run.storedBytes)),
  };
}

function conditions({ job, config, status, kind, since, until }: ExecutionQuery): SQL[] {
  const found: SQL[] = [];
  if (job !== undefined) found.push(eq(executionTable.job, job));
  if (config !== undefined) found.push(sql`(${executionTable.config} IS NULL OR ${executionTable.config} = ${config})`);
  if (status !== undefined) found.push(inArray(executionTable.status, [status].flat()));
  if (kind !== undefined) found.push(inArray(executionTable.kind, [kind].flat()));
  if (since !== undefined) found.push(gte(executionTable.startedAt, since));
  if (until !== undefined) found.push(lt(executionTable.startedAt, until));
  return found;
}

function withDestinations(tables: Tables, rows: readonly ExecutionRow[]): Execution[] {
  // One parameter, however many rows: SQLite limits the number of parameters.
  const ids = JSON.stringify(rows.map((row) => row.id));
  const destinations = tables
    .select()
    .from(destinationTable)
    .where(sql`${destinationTable.executionId} IN (SELECT value FROM json_each(${ids}))`)
    .orderBy(sql`rowid`)
    .all();
  const own = new Map<string, (typeof destinations)[number][]>(rows.map(({ id }) => [id, []]));
  for (const destination of destinations) own.get(destination.executionId)?.push(destination);
  return rows.map((row) => toExecution(row, own.get(row.id) ?? []));
}

/** Of an even number of values: the mean of the two in the middle, rounded. */
function median(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const [low, high] = [known[Math.floor((known.length - 1) / 2)], known[Math.floor(known.length / 2)]];
  return low === undefined || high === undefined ? undefined : Math.round((low + high) / 2);
}

function ambiguous(prefix: string, rows: readonly ExecutionRow[]): DbBackupError {
  const ids = rows.map((row) => row.id).join(', ');
  return new DbBackupError('USAGE', `execution ${prefix} is ambiguous: ${ids}`, { hint: 'Give more of the id.' });
}
