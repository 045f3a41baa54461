/** What an operation tells while it works; the CLI turns it into bars, lines or NDJSON. */
import type { ExecutionKind, ExecutionStatus } from '../history/history.ts';

export interface ProgressTotal {
  /** Raw (uncompressed) bytes for a backup or restore, stored bytes for a verify or download. */
  readonly bytes: number;
  /** False: an estimate from the database's size or from earlier runs. */
  readonly exact: boolean;
}

interface ExecutionEvent {
  readonly executionId: string;
  readonly kind: ExecutionKind;
  /** The job, or the file for what has no job. */
  readonly subject: string;
}

export type OperationEvent =
  | (ExecutionEvent & { readonly type: 'start' })
  | (ExecutionEvent & { readonly type: 'step'; readonly step: string })
  | (ExecutionEvent & {
      readonly type: 'progress';
      readonly step: string;
      readonly rawBytes: number;
      readonly storedBytes: number;
      readonly total?: ProgressTotal;
    })
  | (ExecutionEvent & { readonly type: 'log'; readonly level: 'info' | 'warning'; readonly text: string })
  | (ExecutionEvent & { readonly type: 'end'; readonly status: ExecutionStatus });
