/** Writes down again what the history has lost: inside one transaction, beside what is there, never over it. */
import { and, eq, isNotNull } from 'drizzle-orm';
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import { redact } from '../redact.ts';
import { detailColumns } from './execution-row.ts';
import type { RebuildCounts, RebuiltBackup } from './history.ts';
import { destinationTable, executionTable, validationTable } from './schema.ts';

type Tables = BetterSQLite3Database;

export function rebuild(tables: Tables, backups: readonly RebuiltBackup[], now: Date): RebuildCounts {
  // Immediate: a run that ends meanwhile waits, and is not taken for a lost one.
  return tables.transaction((inside) => rebuildInside(inside as unknown as Tables, backups, now), {
    behavior: 'immediate',
  });
}

function rebuildInside(tables: Tables, backups: readonly RebuiltBackup[], now: Date): RebuildCounts {
  const known = knownBackups(tables);
  const counts = { executions: 0, destinations: 0, validations: 0, known: 0 };
  for (const backup of backups) {
    const own = known.own.has(backup.backupId) || backup.destinations.some(({ key }) => known.keys.has(key ?? ''));
    const rebuilt = known.rebuilt.has(backup.backupId);
    if (!own) {
      if (!rebuilt) counts.executions += insertExecution(tables, backup, now);
      counts.destinations += insertDestinations(tables, backup, now);
    }
    if (own || rebuilt) counts.known += 1;
    counts.validations += insertValidations(tables, backup);
  }
  return counts;
}

/** Backups of which an entry tells that was made by their run, be it only by the name it was going to store under. */
function knownBackups(tables: Tables) {
  const { id, backupId, rebuiltAt } = executionTable;
  const rows = tables
    .select({ id, backupId, rebuiltAt })
    .from(executionTable)
    .where(and(isNotNull(backupId), eq(executionTable.kind, 'backup')))
    .all();
  const keys = tables
    .select({ key: destinationTable.key, rebuiltAt })
    .from(destinationTable)
    .innerJoin(executionTable, eq(executionTable.id, destinationTable.executionId))
    .where(eq(executionTable.kind, 'backup'))
    .all();
  const idsOf = (isRebuilt: boolean) =>
    new Set(rows.filter((row) => (row.rebuiltAt !== null) === isRebuilt).map((row) => row.backupId));
  return {
    own: idsOf(false),
    rebuilt: idsOf(true),
    keys: new Set(keys.filter((row) => row.rebuiltAt === null && row.key !== null).map((row) => row.key)),
  };
}

/** Under the backup's own id, which no execution has: the same entry whoever rebuilds it. */
function insertExecution(tables: Tables, backup: RebuiltBackup, now: Date): number {
  const { job, host, trigger, status, startedAt, finishedAt, durationMs, rawBytes, storedBytes } = backup;
  const identity = { id: backup.backupId, kind: 'backup' as const, job, host, trigger: redact(trigger), pid: 0 };
  const times = { startedAt, finishedAt, durationMs, created: now, updated: now, rebuiltAt: now };
  const values = { ...detailColumns(backup), ...identity, ...times, status, rawBytes, storedBytes };
  return tables.insert(executionTable).values(values).onConflictDoNothing().run().changes;
}

function insertDestinations(tables: Tables, { backupId, destinations }: RebuiltBackup, now: Date): number {
  let added = 0;
  for (const { name, type, status, key, size } of destinations) {
    const row = { executionId: backupId, name, type, status, key, size, updated: now };
    added += tables.insert(destinationTable).values(row).onConflictDoNothing().run().changes;
  }
  return added;
}

function insertValidations(tables: Tables, { backupId, validations }: RebuiltBackup): number {
  if (validations.length === 0) return 0;
  const there = tables.select().from(validationTable).where(eq(validationTable.backupId, backupId)).all();
  const missing = validations.filter(
    ({ at, kind, destination }) =>
      // A run notes the result here and beside the backup, one after the other.
      !there.some((row) => row.kind === kind && row.destination === destination && near(row.at, at)),
  );
  for (const { error, ...validation } of missing) {
    const row = { ...validation, backupId, error: error === undefined ? undefined : redact(error) };
    tables.insert(validationTable).values(row).run();
  }
  return missing.length;
}

function near(a: Date, b: Date): boolean {
  return Math.abs(a.getTime() - b.getTime()) < 10_000;
}
