/**
 * The history as a running operation wants it: recording never throws, because no trouble of the audit log may cost a
 * backup (F27). Guarantees: each kind of trouble reaches `onTrouble` once, as HISTORY_FAILED, for the operation to
 * report as a warning; a history that was out of reach at the beginning is tried again at the end.
 */
import type {
  DestinationResult,
  ExecutionEnd,
  History,
  LogLevel,
  NewExecution,
  Progress,
  Validation,
} from './history.ts';

export interface TolerantHistory {
  begin(execution: NewExecution & { readonly id: string }): Promise<void>;
  start(id: string): void;
  progress(id: string, progress: Progress): void;
  setStep(id: string, step: string): void;
  destinationResult(id: string, result: DestinationResult): void;
  log(id: string, level: LogLevel, text: string): void;
  recordValidation(validation: Omit<Validation, 'at'>): Promise<void>;
  finish(id: string, end: ExecutionEnd): Promise<void>;
  close(): void;
}

export declare function tolerantHistory(
  open: () => Promise<History>,
  onTrouble: (error: Error) => void,
): TolerantHistory;
