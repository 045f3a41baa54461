/** For a terminal: one cli-progress bar an execution, live byte counts always, a percentage where a total is known. */
import cliProgress from 'cli-progress';
import type { OperationEvent, ProgressTotal } from '../../operation/event.ts';
import type { App } from '../app.ts';
import { formatBytes, formatDuration, formatSavings } from '../format.ts';
import type { Output } from '../output.ts';
import type { Reporter } from './reporter.ts';

interface Shown {
  readonly bar: cliProgress.SingleBar;
  readonly startedAt: number;
  total?: ProgressTotal;
}

/** The bar without a total: as if of a thousand, never full; it moves with the bytes and says so. */
const unknownTotal = 1000;

export class BarReporter implements Reporter {
  readonly #bars: cliProgress.MultiBar;
  readonly #shown = new Map<string, Shown>();
  readonly #output: Output;

  constructor(app: App, output: Output) {
    this.#output = output;
    const options = {
      stream: app.stderr as NodeJS.WriteStream,
      format: '{job} {bar} {share} {text}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 20,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      linewrap: false,
      fps: 10,
      gracefulExit: false,
      emptyOnZero: true,
    };
    this.#bars = new cliProgress.MultiBar(options);
  }

  report(event: OperationEvent): void {
    if (event.type === 'start') this.#begin(event.executionId, event.subject);
    const shown = this.#shown.get(event.executionId);
    if (!shown) return;
    if (event.type === 'step') shown.bar.update({ text: event.step });
    else if (event.type === 'progress') this.#progress(shown, event);
    else if (event.type === 'log') this.#log(event.subject, event.level, event.text);
    else if (event.type === 'end') this.#end(event.executionId, shown);
  }

  stop(): void {
    this.#bars.stop();
  }

  #begin(id: string, subject: string): void {
    const job = subject.length > 24 ? `${subject.slice(0, 23)}…` : subject.padEnd(12);
    const bar = this.#bars.create(unknownTotal, 0, { job, share: '     ', text: 'starting' });
    this.#shown.set(id, { bar, startedAt: Date.now() });
  }

  #progress(shown: Shown, event: Extract<OperationEvent, { type: 'progress' }>): void {
    const done = event.step === 'verify' || event.step === 'read' ? event.storedBytes : event.rawBytes;
    const elapsed = Date.now() - shown.startedAt;
    shown.bar.setTotal(event.total ? Math.max(event.total.bytes, done) : unknownTotal);
    const position = event.total ? done : (done / 1_000_000) % unknownTotal;
    shown.bar.update(position, { share: share(done, event.total), text: describe(event, done, elapsed) });
  }

  #log(subject: string, level: string, text: string): void {
    const mark = level === 'warning' ? this.#output.color.yellow('warning ') : '';
    this.#bars.log(`${subject}: ${mark}${text}\n`);
  }

  #end(id: string, shown: Shown): void {
    shown.bar.stop();
    this.#bars.remove(shown.bar);
    this.#shown.delete(id);
    if (this.#shown.size === 0) this.#bars.stop();
  }
}

/** Never 100% before the end; `~` marks an estimate. */
function share(done: number, total: ProgressTotal | undefined): string {
  if (!total) return '     ';
  const percent = Math.min(99, Math.floor((done / total.bytes) * 100));
  return `${total.exact ? ' ' : '~'}${String(percent).padStart(3)}%`;
}

function describe(event: Extract<OperationEvent, { type: 'progress' }>, done: number, elapsedMs: number): string {
  const { rawBytes, storedBytes, total, step } = event;
  const rate = elapsedMs > 0 ? (done / elapsedMs) * 1000 : 0;
  const left = total && rate > 0 && done < total.bytes ? ((total.bytes - done) / rate) * 1000 : undefined;
  const parts = [
    `${step} ${formatBytes(rawBytes)} → ${formatBytes(storedBytes)}`,
    `${formatBytes(rate)}/s`,
    ...(storedBytes > 0 && rawBytes > 0 ? [formatSavings(rawBytes, storedBytes)] : []),
    formatDuration(elapsedMs),
    ...(left === undefined ? [] : [`${total?.exact ? '' : '~'}${formatDuration(left)} left`]),
  ];
  return parts.join(' · ');
}
