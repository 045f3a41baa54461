/**
 * The history as a running operation wants it: recording never throws, because no trouble of the audit log may cost a
 * backup (F27). Guarantees: trouble reaches `onTrouble` (as HISTORY_FAILED, for the operation to report as a warning);
 * after it nothing is tried in the middle of the run, where a locked file would hold up the dump at every line;
 * `finish` opens the history anew and records the execution with its destinations and its end. Log lines may be lost.
 */
import { DbBackupError, wrapError } from '../errors.ts';
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

/** What a history that has to be opened anew is told again. */
interface Begun {
  readonly execution: NewExecution & { readonly id: string };
  readonly results: Map<string, DestinationResult>;
}

/**
 * @param open as `openHistory`; called at `begin`, and again at `finish` and `recordValidation` after trouble
 * @param onTrouble must not throw
 */
export function tolerantHistory(open: () => Promise<History>, onTrouble: (error: Error) => void): TolerantHistory {
  let history: History | undefined;
  const begun = new Map<string, Begun>();

  async function opened(): Promise<History> {
    if (history !== undefined) return history;
    history = await open();
    for (const warning of history.warnings) onTrouble(new DbBackupError('HISTORY_FAILED', warning));
    return history;
  }

  function giveUp(cause: unknown): void {
    onTrouble(cause instanceof DbBackupError ? cause : wrapError(cause, 'HISTORY_FAILED', 'the history failed'));
    const failed = history;
    history = undefined;
    try {
      failed?.close();
    } catch {
      // The trouble was reported above; closing a broken file adds nothing to it.
    }
  }

  /** False after trouble. */
  function attempt(action: (history: History) => void): boolean {
    if (history === undefined) return false;
    try {
      action(history);
      return true;
    } catch (cause) {
      giveUp(cause);
      return false;
    }
  }

  /** What an open history cannot take is given to a newly opened one, which is another if the file was lost. */
  async function insist(action: (history: History) => void): Promise<void> {
    if (attempt(action)) return;
    try {
      action(await opened());
    } catch (cause) {
      giveUp(cause);
    }
  }

  function recall(into: History, id: string): void {
    const known = begun.get(id);
    if (known === undefined) return;
    if (into.get(id) === undefined) into.begin(known.execution);
    for (const result of known.results.values()) into.destinationResult(id, result);
  }

  return {
    async begin(execution) {
      begun.set(execution.id, { execution: { startedAt: new Date(), ...execution }, results: new Map() });
      await insist((into) => into.begin(execution));
    },
    start: (id) => void attempt((into) => into.start(id)),
    progress: (id, progress) => void attempt((into) => into.progress(id, progress)),
    setStep: (id, step) => void attempt((into) => into.setStep(id, step)),
    log: (id, level, text) => void attempt((into) => into.log(id, level, text)),
    destinationResult(id, result) {
      begun.get(id)?.results.set(result.name, result);
      attempt((into) => into.destinationResult(id, result));
    },
    recordValidation: (validation) => insist((into) => into.recordValidation(validation)),
    async finish(id, end) {
      await insist((into) => {
        recall(into, id);
        into.finish(id, end);
      });
      begun.delete(id);
    },
    close() {
      attempt((into) => into.close());
      history = undefined;
    },
  };
}
