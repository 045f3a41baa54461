/** Between the rows of the history and what other rooms see; free text is redacted here, names and hashes are not. */
import { redact } from '../redact.ts';
import type { DestinationResult, ErrorRecord, Execution, ExecutionDetails, Progress } from './history.ts';
import type { destinationTable, executionTable } from './schema.ts';

type ExecutionRow = typeof executionTable.$inferSelect;
type ExecutionChange = Partial<typeof executionTable.$inferInsert>;
type DestinationRow = typeof destinationTable.$inferSelect;

export function toExecution(row: ExecutionRow, destinations: readonly DestinationRow[]): Execution {
  const { errorCode, errorMessage, errorHint, ...rest } = withoutNulls(row);
  const error = errorCode && errorMessage ? { code: errorCode, message: errorMessage, hint: errorHint } : undefined;
  return { ...rest, error, destinations: destinations.map(toDestinationResult) };
}

function toDestinationResult(row: DestinationRow): DestinationResult {
  const { name, type, status, key, size, error } = withoutNulls(row);
  return { name, type, status, key, size, error };
}

/** Fields that are undefined are left as they are. */
export function detailColumns(details: ExecutionDetails): ExecutionChange {
  const { filter, note } = details;
  return {
    estimatedBytes: details.estimatedBytes,
    compression: details.compression,
    level: details.level,
    encryptionFingerprint: details.encryptionFingerprint,
    backupType: details.backupType,
    filter: filter && JSON.parse(redact(JSON.stringify(filter))),
    note: redacted(note),
    backupId: details.backupId,
    artifact: details.artifact,
    rawSha256: details.rawSha256,
    storedSha256: details.storedSha256,
    retryCount: details.retryCount,
  };
}

export function progressColumns({ step, rawBytes, storedBytes, estimatedBytes }: Progress): ExecutionChange {
  return { step: redacted(step), rawBytes, storedBytes, estimatedBytes };
}

export function errorColumns(error: ErrorRecord | undefined): ExecutionChange {
  if (error === undefined) return {};
  return { errorCode: error.code, errorMessage: redact(error.message), errorHint: redacted(error.hint) };
}

export function redacted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : redact(text);
}

type WithoutNulls<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as null extends T[K] ? K : never]?: NonNullable<T[K]>;
};

export function withoutNulls<T extends object>(row: T): WithoutNulls<T> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as WithoutNulls<T>;
}
