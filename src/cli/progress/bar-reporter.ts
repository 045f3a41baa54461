/** For a terminal: one cli-progress bar an execution, live byte counts always, a percentage where a total is known. */
import cliProgress from 'cli-progress';
import type { OperationEvent, ProgressTotal } from '../../operation/event.ts';
import type { App } from '../app.ts';
import { formatBytes, formatDuration, formatSavings } from '../format.ts';
import type { Output } from '../output.ts';
import type { Reporter } from './reporter.ts';

interface Shown {
  readonly subject: string;
  /** Of the execution; of the step where each step begins with its first byte again. */
  startedAt: number;
  /** Undefined while the bars are off the screen. */
  bar?: cliProgress.SingleBar;
}

/** The bar without a total: as if of a thousand, never full; it moves with the bytes and says so. */
const unknownTotal = 1000;

export class BarReporter implements Reporter {
  readonly #shown = new Map<string, Shown>();
  readonly #app: App;
  readonly #output: Output;
  /** Undefined while the bars are off the screen; the next event brings them back. */
  #bars: cliProgress.MultiBar | undefined;

  constructor(app: App, output: Output) {
    this.#app = app;
    this.#output = output;
  }

  report(event: OperationEvent): void {
    if (event.type === 'start') {
      this.#shown.set(event.executionId, { subject: event.subject, startedAt: Date.now() });
    }
    const shown = this.#shown.get(event.executionId);
    if (event.type === 'log') this.#log(event);
    else if (shown && event.type === 'end') this.#end(event.executionId, shown);
    else if (shown && event.type === 'step') this.#step(shown, event);
    else if (shown && event.type === 'progress') this.#progress(this.#barOf(shown), shown.startedAt, event);
  }

  stop(): void {
    this.#bars?.stop();
    this.#bars = undefined;
    for (const shown of this.#shown.values()) shown.bar = undefined;
  }

  #barOf(shown: Shown): cliProgress.SingleBar {
    this.#bars ??= this.#openBars();
    const { subject } = shown;
    const job = subject.length > 24 ? `${subject.slice(0, 23)}…` : subject.padEnd(12);
    shown.bar ??= this.#bars.create(unknownTotal, 0, { job, share: '     ', text: 'starting' });
    return shown.bar;
  }

  #openBars(): cliProgress.MultiBar {
    return new cliProgress.MultiBar({
      stream: this.#app.stderr as NodeJS.WriteStream,
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
    });
  }

  #step(shown: Shown, { kind, step }: Extract<OperationEvent, { type: 'step' }>): void {
    if (kind === 'tune') shown.startedAt = Date.now();
    this.#barOf(shown).update({ text: step });
  }

  #progress(bar: cliProgress.SingleBar, startedAt: number, event: Extract<OperationEvent, { type: 'progress' }>): void {
    const done = event.step === 'verify' || event.step === 'read' ? event.storedBytes : event.rawBytes;
    const elapsed = Date.now() - startedAt;
    bar.setTotal(event.total ? Math.max(event.total.bytes, done) : unknownTotal);
    const position = event.total ? done : (done / 1_000_000) % unknownTotal;
    bar.update(position, { share: share(done, event.total), text: describe(event, done, elapsed) });
  }

  #log({ subject, level, text }: Extract<OperationEvent, { type: 'log' }>): void {
    const mark = level === 'warning' ? `${this.#output.color.yellow('warning')} ` : '';
    if (this.#bars) this.#bars.log(`${subject}: ${mark}${text}\n`);
    else this.#output.say(`${subject}: ${mark}${text}`);
  }

  #end(id: string, shown: Shown): void {
    this.#shown.delete(id);
    if (this.#shown.size === 0) this.stop();
    if (!shown.bar) return;
    shown.bar.stop();
    this.#bars?.remove(shown.bar);
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
  // Nothing is made smaller or larger by loading a dump.
  const amount =
    rawBytes === storedBytes ? formatBytes(rawBytes) : `${formatBytes(rawBytes)} → ${formatBytes(storedBytes)}`;
  const parts = [
    `${step} ${amount}`,
    `${formatBytes(rate)}/s`,
    ...(storedBytes > 0 && rawBytes > 0 && storedBytes !== rawBytes ? [formatSavings(rawBytes, storedBytes)] : []),
    formatDuration(elapsedMs),
    ...(left === undefined ? [] : [`${total?.exact ? '' : '~'}${formatDuration(left)} left`]),
  ];
  return parts.join(' · ');
}
