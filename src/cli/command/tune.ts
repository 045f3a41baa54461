import { type Command, Option } from 'commander';
import { DbBackupError } from '../../errors.ts';
import type { Candidate } from '../../operation/tune/candidate.ts';
import type { Forecast, Limit, Preference } from '../../operation/tune/forecast.ts';
import type { Tuning } from '../../operation/tune/tune.ts';
import { type CommandContext, choices, newCommand, oneOf, runAction } from '../command.ts';
import { formatBytes, formatDuration, formatTable } from '../format.ts';
import type { Output } from '../output.ts';
import { parseAmount } from '../parse-amount.ts';

interface TuneFlags {
  readonly prefer: Preference;
  readonly codec?: readonly string[];
  readonly upload?: string;
  readonly sample: string;
  readonly readingTime: string;
  readonly whole?: boolean;
  readonly patience: string;
}

const codecNames = ['none', 'gzip', 'brotli', 'zstd', 'bzip2'] as const satisfies readonly Candidate['type'][];
const preferences = ['balance', 'size', 'speed'] as const satisfies readonly Preference[];

export function tuneCommand(context: CommandContext): Command {
  return newCommand('tune')
    .description('try every compression on a sample of the real dump, and say which one to take')
    .argument('<job>', 'a job of the config; nothing of it is stored')
    .addOption(new Option('--prefer <what>', 'what the recommendation goes by').choices(preferences).default('balance'))
    .addOption(choices('--codec <type>', 'only this codec, every level of it (repeatable)', codecNames))
    .option('--upload <rate>', 'what the slowest destination takes, such as 10MB/s; without it what `limit` says')
    .option('--sample <size>', 'so much of the dump at most, evenly spread over what is read', '64MiB')
    .option('--reading-time <time>', 'read the dump for so long at most', '1m')
    .option('--whole', 'read the dump to its end')
    .option('--patience <time>', 'give up a compression that takes longer', '1m')
    .addHelpText('after', examples)
    .action(
      runAction<TuneFlags>(context, async ({ args, options }, output) => {
        const { openReporter } = await import('../progress/reporter.ts');
        const { openRuntime } = await import('../open-runtime.ts');
        const { chooseJobs } = await import('../../operation/backup/run-jobs.ts');
        const { tune } = await import('../../operation/tune/tune.ts');
        const wishes = await wishesOf(options);
        const reporter = await openReporter(context.app, output);
        const needs = { config: 'required', state: true, emit: reporter.report.bind(reporter) } as const;
        const runtime = await openRuntime(context.app, options, output, needs);
        try {
          const [job] = chooseJobs(args, false, runtime);
          if (job === undefined) return;
          const tuning = await tune(job, wishes, runtime);
          reporter.stop();
          const { nameOf, yamlOf } = await import('../../operation/tune/candidate.ts');
          const { candidate } = tuning.recommendation;
          const advice = { name: nameOf(candidate), yaml: yamlOf(candidate) };
          output.result(toJson(tuning, advice), () => report(tuning, job.compression, advice, output));
        } finally {
          reporter.stop();
          runtime.history.close();
        }
      }),
    );
}

const examples = `
Reads the dump once, for a minute at most, into a private file of bounded size that is removed again; stores nothing.

Examples:
  $ dbbackup tune example --config config.example.yaml
  $ dbbackup tune shop --upload 5MB/s              the line to the store is what is slow
  $ dbbackup tune shop --prefer size --codec zstd --codec brotli
  $ dbbackup tune shop --whole --sample 256MiB --json`;

async function wishesOf(flags: TuneFlags) {
  const { parseByteRate } = await import('../../value/byte-rate.ts');
  const { parseByteSize } = await import('../../value/byte-size.ts');
  const { parseDuration } = await import('../../value/duration.ts');
  const bytes = parseAmount('--sample', flags.sample, parseByteSize, '64MiB');
  if (bytes < 2 ** 16)
    throw new DbBackupError('USAGE', `--sample ${flags.sample} is too little`, { hint: 'At least 64KiB.' });
  return {
    codecs: (flags.codec ?? []).map((each) => oneOf(each, codecNames, '--codec')),
    prefer: flags.prefer,
    bytes,
    readingMs: flags.whole ? undefined : parseAmount('--reading-time', flags.readingTime, parseDuration, '90s'),
    patienceMs: parseAmount('--patience', flags.patience, parseDuration, '90s'),
    uploadRate: flags.upload === undefined ? undefined : parseAmount('--upload', flags.upload, parseByteRate, '10MB/s'),
  };
}

/** What is recommended, as people and as the config say it. */
interface Advice {
  readonly name: string;
  readonly yaml: string;
}

function toJson(tuning: Tuning, { yaml }: Advice): Record<string, unknown> {
  const { circumstances, recommendation, forecasts, notTried } = tuning;
  return {
    type: 'result',
    ...{ executionId: tuning.executionId, job: tuning.job, whole: tuning.whole },
    ...{ readBytes: tuning.readBytes, sampleBytes: tuning.sampleBytes, exact: tuning.exact, ...circumstances },
    candidates: [
      ...forecasts.map(({ candidate, rate, share, runRate, limit, seconds, storedBytes }) => {
        return { ...candidate, rate, ratio: 1 / share, runRate, limit, seconds, storedBytes };
      }),
      ...notTried.map(({ candidate, reason }) => ({ ...candidate, notTried: reason })),
    ],
    recommendation: { ...recommendation.candidate, why: recommendation.why, isCurrent: tuning.isCurrent, yaml },
  };
}

function report(tuning: Tuning, current: Candidate, { name, yaml }: Advice, output: Output): string {
  const { recommendation, job } = tuning;
  const better = tuning.isCurrent
    ? ['the job has it already']
    : [`set it in the config, under jobs.${job}:`, `  ${yaml}`];
  return [
    ...head(tuning),
    '',
    table(tuning, current),
    '',
    `${output.color.green('recommended:')} ${name}, ${recommendation.why}`,
    ...better,
  ].join('\n');
}

function head({ readBytes, sampleBytes, whole, circumstances, exact }: Tuning): readonly string[] {
  const { dumpRate, totalBytes } = circumstances;
  const size = totalBytes === undefined ? 'of unknown size' : `${exact ? '' : '~'}${formatBytes(totalBytes)}`;
  const part = whole ? 'all of it' : `the first ${formatBytes(readBytes)} of it`;
  const lines = [
    `dump: ${size}, read at ${formatBytes(dumpRate)}/s (${part})`,
    `sample: ${formatBytes(sampleBytes)}${sampleBytes < readBytes ? `, evenly spread over what was read` : ''}`,
  ];
  if (!whole) lines.push('What comes later may compress otherwise; --whole reads the dump to its end.');
  if (sampleBytes < 2 ** 20) lines.push('So small a sample says little about speed.');
  return lines;
}

const limits: Readonly<Record<Limit, string>> = {
  dump: 'the dump',
  compression: 'compression',
  destination: 'the destination',
  processors: 'processors',
};

function table({ forecasts, notTried, circumstances, exact }: Tuning, current: Candidate): string {
  const header = ['CODEC', 'LEVEL', 'RATIO', 'SAVES', 'SPEED', 'TIME', 'STORED', 'LIMITED BY', ''];
  const about = exact ? '' : '~';
  const rows = forecasts.map(({ candidate, rate, share, limit, seconds, storedBytes, runRate }: Forecast) => [
    ...codecCells(candidate),
    (1 / share).toFixed(2),
    `${Math.round((1 - share) * 100)}%`,
    `${formatBytes(rate)}/s`,
    seconds === undefined ? `${formatDuration((1e9 / runRate) * 1000)} a GB` : about + formatDuration(seconds * 1000),
    storedBytes === undefined ? `${formatBytes(1e9 * share)} a GB` : about + formatBytes(storedBytes),
    limits[limit],
    candidate.type === current.type && candidate.level === current.level ? '← the job now' : '',
  ]);
  const missing = notTried.map(({ candidate, reason }) => [...codecCells(candidate), reason]);
  const upload = circumstances.uploadRate;
  const note = upload === undefined ? '' : `\ndestination: ${formatBytes(upload)}/s`;
  const tried = formatTable(header, rows);
  return missing.length === 0 ? tried + note : `${tried}\n${formatTable(['', '', ''], missing).trim()}${note}`;
}

function codecCells({ type, level }: Candidate): [string, string] {
  return [type, type === 'none' ? '-' : String(level)];
}
