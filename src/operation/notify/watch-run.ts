import type { OperationEvent } from '../event.ts';
import type { Runtime } from '../runtime.ts';

/** Enough to see what went wrong; the whole log is in the history. */
const keptLines = 50;
const longestLine = 1000;

/** What a notification tells of a run, seen from its events. */
export interface Watch {
  /** To be given to the run. */
  readonly runtime: Runtime;
  readonly startedAt: Date;
  /** Undefined while nothing has begun. */
  readonly executionId: string | undefined;
  /** The last lines, with their time. */
  readonly log: readonly string[];
}

/** `onBegin` is called once, when the run holds the job's lock and really begins. */
export function watchRun(runtime: Runtime, onBegin: (watch: Watch) => void): Watch {
  const log: string[] = [];
  let executionId: string | undefined;
  let begun = false;
  const add = (text: string) => {
    log.push(`${new Date().toISOString()} ${text}`.slice(0, longestLine));
    if (log.length > keptLines) log.shift();
  };
  const see = (event: OperationEvent) => {
    if (event.kind !== 'backup') return;
    if (event.type === 'start') executionId = event.executionId;
    if (event.type === 'log') add(event.level === 'warning' ? `warning: ${event.text}` : event.text);
    if (event.type !== 'step') return;
    add(`step: ${event.step}`);
    if (begun || event.step === 'waiting') return;
    begun = true;
    onBegin(watch);
  };
  const watch: Watch = {
    startedAt: new Date(),
    log,
    get executionId() {
      return executionId;
    },
    runtime: {
      ...runtime,
      emit(event) {
        see(event);
        runtime.emit(event);
      },
    },
  };
  return watch;
}
