import { resolve } from 'node:path';
import type { Command } from 'commander';
import { DbBackupError } from '../../errors.ts';
import type { Report } from '../../operation/report/report.ts';
import type { App } from '../app.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { askConsent } from '../consent.ts';
import type { Output } from '../output.ts';
import { parseSince } from '../parse-since.ts';
import { plural } from '../report/figures.ts';

interface ReportFlags {
  readonly since: string;
  readonly html?: string;
  readonly destinations: boolean;
  readonly yes?: boolean;
}

export function reportCommand(context: CommandContext): Command {
  return newCommand('report')
    .description('per job: sizes and durations over time, last good backup, what retention will do, failures')
    .argument('[job...]', 'only these; without one, all of the config and of the history')
    .option('--since <time>', 'runs from then on: 2026-11-01, or 90d, 12h', '90d')
    .option('--html <file>', 'as one web page with charts that needs nothing else, into this file, or - for stdout')
    .option('--no-destinations', 'from the history alone, without asking the destinations')
    .option('--yes', 'overwrite a file that is no report')
    .addHelpText('after', examples)
    .action(
      runAction<ReportFlags>(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { queryHistory } = await import('../open-history-query.ts');
        const { makeReport } = await import('../../operation/report/make-report.ts');
        if (options.html === '-' && output.json) {
          throw new DbBackupError('USAGE', '--json and --html - both want stdout; leave one out');
        }
        const request = { jobs: args, since: parseSince(options.since), destinations: options.destinations };
        const runtime = await openRuntime(context.app, options, output, { config: 'optional', state: false });
        const report = await queryHistory(context.app, options, output, (history) =>
          makeReport(request, history, runtime),
        );
        const problems = problemsOf(report);
        // The report on a terminal says so where it matters.
        if (options.html !== undefined || output.json || output.quiet) for (const each of problems) output.warn(each);
        if (options.html === undefined) await show(report, context.app, output);
        else await writeHtml(report, options.html, askConsent(context.app, options.yes ?? false), context.app, output);
        return problems.length > 0 ? 7 : undefined;
      }),
    );
}

const examples = `
A report that was written before is replaced; any other file only with --yes.
The exit code is 7 when a destination could not be read: the report then goes on
without it.

Examples:
  $ dbbackup report
  $ dbbackup report example --since 30d
  $ dbbackup report --html report.html
  $ dbbackup report --no-destinations --json`;

async function show(report: Report, app: App, output: Output): Promise<void> {
  const { textReport } = await import('../report/text-report.ts');
  output.result(report, () => textReport(report, output.color, app.stdout.columns));
}

async function writeHtml(
  report: Report,
  file: string,
  consent: (question: string) => Promise<void>,
  app: App,
  output: Output,
): Promise<void> {
  const { htmlReport } = await import('../report/html/html-report.ts');
  const { writePage } = await import('../../operation/report/write-page.ts');
  const page = htmlReport(report);
  if (file === '-') {
    app.stdout.write(page);
    return;
  }
  const path = resolve(app.workingFolder, file);
  await writePage(path, page, consent);
  const runs = report.jobs.reduce((sum, { counts }) => sum + counts.total, 0);
  output.result({ ...report, html: path }, () => {
    const what = `${plural(report.jobs.length, 'job')}, ${plural(runs, 'run')}`;
    return `${output.color.green('✓')} ${what}: report written to ${path}`;
  });
}

/** Destination by destination, however many jobs store there. */
function problemsOf({ jobs }: Report): readonly string[] {
  const told = jobs.flatMap(({ copies }) =>
    copies.flatMap(({ destination, problem }) => (problem === undefined ? [] : [`${destination}: ${problem}`])),
  );
  return [...new Set(told)];
}
