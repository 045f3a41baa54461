/**
 * Tables of the history. Times are milliseconds since 1970 (UTC), sizes bytes.
 * After a change: `npm run migrations`;
 * a migration that was ever released is never edited.
 */
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { TableFilter } from '../source/source.ts';
import type { DestinationStatus, ExecutionKind, ExecutionStatus, LogLevel } from './history.ts';

export const executionTable = sqliteTable(
  'execution',
  {
    id: text().primaryKey(),
    kind: text().$type<ExecutionKind>().notNull(),
    job: text(),
    /** The config file that knows the job; another one may have a job of the same name. */
    config: text(),
    trigger: text().notNull(),
    host: text().notNull(),
    pid: integer().notNull(),
    status: text().$type<ExecutionStatus>().notNull(),
    step: text(),
    estimatedBytes: integer('estimated_bytes'),
    rawBytes: integer('raw_bytes'),
    storedBytes: integer('stored_bytes'),
    startedAt: integer('started_at', { mode: 'timestamp_ms' }).notNull(),
    finishedAt: integer('finished_at', { mode: 'timestamp_ms' }),
    durationMs: integer('duration_ms'),
    compression: text(),
    level: integer(),
    encryptionFingerprint: text('encryption_fingerprint'),
    backupType: text('backup_type').$type<'full' | 'schema' | 'data'>(),
    filter: text({ mode: 'json' }).$type<TableFilter>(),
    note: text(),
    backupId: text('backup_id'),
    artifact: text(),
    rawSha256: text('raw_sha256'),
    storedSha256: text('stored_sha256'),
    errorCode: text('error_code'),
    errorMessage: text('error_message'),
    errorHint: text('error_hint'),
    retryCount: integer('retry_count').notNull().default(0),
    /** When it was written down anew from a sidecar, in place of an entry that was lost. */
    rebuiltAt: integer('rebuilt_at', { mode: 'timestamp_ms' }),
    created: integer({ mode: 'timestamp_ms' }).notNull(),
    updated: integer({ mode: 'timestamp_ms' }).notNull(),
  },
  (table) => [
    index('execution_job').on(table.job, table.startedAt),
    index('execution_status').on(table.status, table.startedAt),
    index('execution_started_at').on(table.startedAt),
  ],
);

export const destinationTable = sqliteTable(
  'execution_destination',
  {
    executionId: text('execution_id')
      .notNull()
      .references(() => executionTable.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    type: text().notNull(),
    status: text().$type<DestinationStatus>().notNull(),
    key: text(),
    size: integer(),
    error: text(),
    updated: integer({ mode: 'timestamp_ms' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.executionId, table.name] })],
);

export const logLineTable = sqliteTable(
  'log_line',
  {
    executionId: text('execution_id')
      .notNull()
      .references(() => executionTable.id, { onDelete: 'cascade' }),
    /** 1, 2, 3 … within the execution. */
    sequence: integer().notNull(),
    at: integer({ mode: 'timestamp_ms' }).notNull(),
    level: text().$type<LogLevel>().notNull(),
    text: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.executionId, table.sequence] })],
);

export const validationTable = sqliteTable(
  'validation',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    at: integer({ mode: 'timestamp_ms' }).notNull(),
    kind: text().$type<'verify' | 'drill'>().notNull(),
    backupId: text('backup_id').notNull(),
    key: text().notNull(),
    destination: text().notNull(),
    result: text().$type<'passed' | 'failed'>().notNull(),
    error: text(),
  },
  (table) => [index('validation_backup').on(table.backupId, table.at)],
);
