/** The history in SQLite, through drizzle. Loaded by `openHistory` when first needed. */
import { randomUUID } from 'node:crypto';
import { and, asc, desc, eq, inArray, lte, max, sql } from 'drizzle-orm';
import type { SQLiteUpdateSetSource } from 'drizzle-orm/sqlite-core';
import { DbBackupError, messageOf } from '../errors.ts';
import { redact } from '../redact.ts';
import { isDamage, isInPlace, moveAside, type OpenDatabase, openDatabase } from './database-file.ts';
import { everything, findExecution, jobStatistics, listExecutions } from './execution-query.ts';
import { detailColumns, errorColumns, progressColumns, redacted, withoutNulls } from './execution-row.ts';
import type {
  DestinationResult,
  Execution,
  ExecutionEnd,
  ExecutionPage,
  ExecutionQuery,
  ExecutionStatus,
  History,
  JobStatistics,
  LogLevel,
  LogLine,
  NewExecution,
  Progress,
  RebuildCounts,
  RebuiltBackup,
  SampleChoice,
  Validation,
} from './history.ts';
import { ProgressThrottle } from './progress-throttle.ts';
import { rebuild } from './rebuild.ts';
import { destinationTable, executionTable, logLineTable, validationTable } from './schema.ts';

const logLimit = 10_000;
const lineLimit = 8192;
const unfinished: readonly ExecutionStatus[] = ['pending', 'running'];

type ExecutionChange = SQLiteUpdateSetSource<typeof executionTable>;

export class SqliteHistory implements History {
  readonly warnings: readonly string[];
  readonly #file: OpenDatabase;
  readonly #throttle = new ProgressThrottle();
  /** Sequence number of the newest log line, per execution. */
  readonly #lines = new Map<string, number>();

  private constructor(file: OpenDatabase) {
    this.#file = file;
    this.warnings = file.warnings;
  }

  /** Throws HISTORY_FAILED. */
  static open(state: string): SqliteHistory {
    try {
      return new SqliteHistory(openDatabase(state));
    } catch (cause) {
      throw historyFailure(`history in ${state} cannot be opened`, cause);
    }
  }

  begin({
    id = randomUUID(),
    kind,
    job,
    config,
    trigger,
    host,
    pid,
    status = 'running',
    ...rest
  }: NewExecution): string {
    const now = new Date();
    const { startedAt = now, step } = rest;
    const identity = { id, kind, job, config, trigger: redact(trigger), host, pid };
    const state = { status, step: redacted(step), startedAt, created: now, updated: now };
    this.#write(`execution ${id}`, (tables) =>
      tables
        .insert(executionTable)
        .values({ ...detailColumns(rest), ...identity, ...state })
        .run(),
    );
    return id;
  }

  start(id: string, at: Date = new Date()): void {
    this.#update(id, { status: 'running', startedAt: at });
  }

  progress(id: string, progress: Progress): void {
    const due = this.#throttle.offer(id, progress);
    if (due) this.#update(id, progressColumns(due));
  }

  setStep(id: string, step: string): void {
    this.#update(id, progressColumns({ ...this.#throttle.take(id), step }));
  }

  destinationResult(id: string, result: DestinationResult): void {
    const { name, type, status, key = null, size = null } = result;
    const values = { type, status, key, size, error: redacted(result.error) ?? null, updated: new Date() };
    this.#write(`result of destination ${name}`, (tables) =>
      tables
        .insert(destinationTable)
        .values({ executionId: id, name, ...values })
        .onConflictDoUpdate({ target: [destinationTable.executionId, destinationTable.name], set: values })
        .run(),
    );
  }

  finish(id: string, end: ExecutionEnd): void {
    const { status, finishedAt = new Date() } = end;
    const heldBack = this.#throttle.take(id);
    this.#throttle.forget(id);
    this.#lines.delete(id);
    this.#update(id, {
      ...detailColumns(end),
      ...errorColumns(end.error),
      step: redacted(heldBack?.step),
      rawBytes: end.rawBytes ?? heldBack?.rawBytes,
      storedBytes: end.storedBytes ?? heldBack?.storedBytes,
      status,
      finishedAt,
      durationMs: end.durationMs ?? sql`max(0, ${finishedAt.getTime()} - ${executionTable.startedAt})`,
    });
  }

  log(id: string, level: LogLevel, text: string): void {
    const line = { executionId: id, at: new Date(), level, text: redact(text).slice(0, lineLimit) };
    this.#write(`log of execution ${id}`, (tables) => {
      const sequence = this.#lastLine(id) + 1;
      tables
        .insert(logLineTable)
        .values({ ...line, sequence })
        .run();
      this.#lines.set(id, sequence);
      if (sequence <= logLimit) return;
      const old = and(eq(logLineTable.executionId, id), lte(logLineTable.sequence, sequence - logLimit));
      tables.delete(logLineTable).where(old).run();
    });
  }

  get(idOrPrefix: string): Execution | undefined {
    return this.#read((tables) => findExecution(tables, idOrPrefix));
  }

  list(query: ExecutionQuery = {}): ExecutionPage {
    return this.#read((tables) => listExecutions(tables, query));
  }

  logs(id: string): readonly LogLine[] {
    const { at, level, text, executionId, sequence } = logLineTable;
    return this.#read((tables) =>
      tables.select({ at, level, text }).from(logLineTable).where(eq(executionId, id)).orderBy(asc(sequence)).all(),
    );
  }

  running(): readonly Execution[] {
    return this.list({ status: unfinished, order: 'asc', limit: everything }).executions;
  }

  jobStatistics(job: string, sample: SampleChoice = {}): JobStatistics {
    return this.#read((tables) => jobStatistics(tables, job, sample));
  }

  recordValidation({ at = new Date(), error, ...validation }: Omit<Validation, 'at'> & { readonly at?: Date }): void {
    const row = { ...validation, at, error: redacted(error) };
    this.#write(`validation of backup ${row.backupId}`, (tables) => tables.insert(validationTable).values(row).run());
  }

  validations(backupId: string): readonly Validation[] {
    const { id, at, kind, key, destination, result, error } = validationTable;
    const columns = { at, kind, backupId: validationTable.backupId, key, destination, result, error };
    return this.#read((tables) =>
      tables
        .select(columns)
        .from(validationTable)
        .where(eq(validationTable.backupId, backupId))
        .orderBy(desc(at), desc(id))
        .all(),
    ).map(withoutNulls);
  }

  async markInterrupted(isAlive: (execution: Execution) => boolean | Promise<boolean>): Promise<readonly Execution[]> {
    const interrupted: Execution[] = [];
    for (const execution of this.running()) {
      if (!(await isAlive(execution)) && this.#interrupt(execution.id)) interrupted.push(execution);
    }
    return interrupted;
  }

  rebuild(backups: readonly RebuiltBackup[]): RebuildCounts {
    return this.#write('what the sidecars tell', (tables) => rebuild(tables, backups, new Date()));
  }

  close(): void {
    try {
      for (const id of this.#throttle.waiting) this.#update(id, progressColumns(this.#throttle.take(id) ?? {}));
    } finally {
      this.#file.connection.close();
    }
  }

  /** False when it ended by itself between the question and the answer. */
  #interrupt(id: string): boolean {
    const now = new Date();
    const still = and(eq(executionTable.id, id), inArray(executionTable.status, [...unfinished]));
    const change = { status: 'interrupted', finishedAt: now, updated: now } as const;
    return this.#write(
      `execution ${id}`,
      (tables) => tables.update(executionTable).set(change).where(still).run().changes > 0,
    );
  }

  #lastLine(id: string): number {
    const known = this.#lines.get(id);
    if (known !== undefined) return known;
    const last = { sequence: max(logLineTable.sequence) };
    const row = this.#file.tables.select(last).from(logLineTable).where(eq(logLineTable.executionId, id)).get();
    return row?.sequence ?? 0;
  }

  #update(id: string, change: ExecutionChange): void {
    this.#write(`execution ${id}`, (tables) => {
      const { changes } = tables
        .update(executionTable)
        .set({ ...change, updated: new Date() })
        .where(eq(executionTable.id, id))
        .run();
      if (changes === 0) throw new DbBackupError('HISTORY_FAILED', `execution ${id} is not in the history`);
    });
  }

  #write<T>(what: string, action: (tables: OpenDatabase['tables']) => T): T {
    return this.#guarded(`${what} could not be recorded in the history`, () => {
      if (!isInPlace(this.#file))
        throw new DbBackupError('HISTORY_FAILED', `${this.#file.path} was deleted or replaced`);
      return action(this.#file.tables);
    });
  }

  #read<T>(action: (tables: OpenDatabase['tables']) => T): T {
    return this.#guarded('history could not be read', () => action(this.#file.tables));
  }

  #guarded<T>(message: string, action: () => T): T {
    try {
      return action();
    } catch (cause) {
      if (cause instanceof DbBackupError && cause.code !== 'HISTORY_FAILED') throw cause;
      throw historyFailure(message, isDamage(cause) ? this.#setAside(cause) : cause);
    }
  }

  /** So that the next opening starts a new file instead of meeting the same damage. */
  #setAside(damage: unknown): unknown {
    try {
      const aside = moveAside(this.#file);
      if (aside === undefined) return damage;
      return new DbBackupError('HISTORY_FAILED', `damaged (${messageOf(damage)}); moved to ${aside}`, {
        cause: damage,
      });
    } catch (cause) {
      return cause;
    }
  }
}

function historyFailure(message: string, cause: unknown): DbBackupError {
  return new DbBackupError('HISTORY_FAILED', `${message}: ${redact(messageOf(cause))}`, {
    cause,
    hint: 'No backup depends on the history. Free disk space, or move the file away: the next command starts a new one.',
    retryable: String((cause as { code?: unknown } | null)?.code).startsWith('SQLITE_BUSY'),
  });
}
