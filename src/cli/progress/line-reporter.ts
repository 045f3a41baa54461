/** For cron and CI: a line at the start, one a minute on long runs, log lines as they come. */
import type { OperationEvent } from '../../operation/event.ts';
import { formatBytes, formatDuration } from '../format.ts';
import type { Output } from '../output.ts';
import type { Reporter } from './reporter.ts';

const everyMs = 60_000;

export class LineReporter implements Reporter {
  readonly #output: Output;
  readonly #started = new Map<string, number>();
  readonly #spoken = new Map<string, number>();

  constructor(output: Output) {
    this.#output = output;
  }

  report(event: OperationEvent): void {
    const now = Date.now();
    if (event.type === 'start') {
      this.#started.set(event.executionId, now);
      this.#spoken.set(event.executionId, now);
      if (event.kind === 'backup')
        this.#output.say(`${event.subject}: started (execution ${event.executionId.slice(0, 8)})`);
    } else if (event.type === 'log') {
      this.#output.say(`${event.subject}: ${event.level === 'warning' ? 'warning: ' : ''}${event.text}`);
    } else if (event.type === 'progress' && now - (this.#spoken.get(event.executionId) ?? 0) >= everyMs) {
      this.#spoken.set(event.executionId, now);
      const elapsed = formatDuration(now - (this.#started.get(event.executionId) ?? now));
      const sizes = `${formatBytes(event.rawBytes)} read, ${formatBytes(event.storedBytes)} stored`;
      this.#output.say(`${event.subject}: ${event.step}, ${sizes}, ${elapsed}`);
    } else if (event.type === 'end') {
      // A daemon reports for months.
      this.#started.delete(event.executionId);
      this.#spoken.delete(event.executionId);
    }
  }

  stop(): void {}
}
