/** How running work is shown: bars on a terminal, a line now and then elsewhere, NDJSON under --json, or nothing. */
import type { OperationEvent } from '../../operation/event.ts';
import type { App } from '../app.ts';
import type { Output } from '../output.ts';

export interface Reporter {
  report(event: OperationEvent): void;
  /** Takes the bars off the screen; must be called before results are printed. */
  stop(): void;
}

export async function openReporter(app: App, output: Output): Promise<Reporter> {
  if (output.json) return { report: (event) => output.event(event), stop: () => {} };
  if (output.quiet) return { report: () => {}, stop: () => {} };
  if (app.stderr.isTTY && app.env['TERM'] !== 'dumb') {
    const { BarReporter } = await import('./bar-reporter.ts');
    return new BarReporter(app, output);
  }
  const { LineReporter } = await import('./line-reporter.ts');
  return new LineReporter(output);
}
