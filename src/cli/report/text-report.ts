/** The report on a terminal: a few lines a job, and lines of blocks for sizes and durations over time. */
import type { ChalkInstance } from 'chalk';
import { type Column, columnsOf } from '../../operation/report/columns.ts';
import {
  type CopyReport,
  type Failure,
  type JobReport,
  type JobState,
  outlookDays,
  type Report,
  type ScheduleReport,
} from '../../operation/report/report.ts';
import { formatBytes } from '../../value/figure.ts';
import { formatTime } from '../format.ts';
import { cutText, padText, textWidth, wrapText } from '../text-width.ts';
import {
  describeCounts,
  describeHoldings,
  describeOutlook,
  describeRange,
  formatAge,
  formatZone,
  plural,
  successRate,
} from './figures.ts';
import { sparkline } from './sparkline.ts';

interface Look {
  readonly color: ChalkInstance;
  /** Cells of a line. */
  readonly width: number;
  readonly now: Date;
}

const indent = 2;
const labelWidth = 12;
/** Below this the figures of a line of blocks stand under it. */
const roomForFigures = 72;
const figureWidth = 36;
const longestLine = 110;
const shownFailures = 3;
/** Of a message on the terminal; `logs` has all of it. */
const messageWidth = 300;

/** @param columns of the terminal */
export function textReport(report: Report, color: ChalkInstance, columns = 80): string {
  const look = { color, width: Math.max(30, Math.min(columns, longestLine)), now: report.generatedAt };
  const { jobs, generatedAt, since, timezone, host } = report;
  const zone = formatZone(timezone, generatedAt);
  const head = `Backups of ${host} since ${minute(since)}, as of ${minute(generatedAt)} ${zone}`;
  const blocks = [
    wrapText(head, look.width)
      .map((line) => color.bold(line))
      .join('\n'),
    ...(jobs.length === 0 ? ['No jobs: neither the config nor the history has one.'] : []),
    ...jobs.map((job) => describeJob(job, look)),
    ...(jobs.some(({ runs }) => runs.length > 0) ? [legend(look)] : []),
  ];
  return blocks.join('\n\n');
}

function minute(time: Date): string {
  return formatTime(time).slice(0, 16);
}

const marks: Readonly<Record<JobState, string>> = { good: '✓', warning: '!', failing: '✗', idle: '-' };

function paint(state: JobState, text: string, color: ChalkInstance): string {
  if (state === 'idle') return color.dim(text);
  return { good: color.green, warning: color.yellow, failing: color.red }[state](text);
}

function describeJob(job: JobReport, look: Look): string {
  const { color, width } = look;
  const { name, description, state, disabled, source } = job;
  const remarks = [
    description,
    disabled ? 'disabled' : undefined,
    source === undefined ? 'not in the config' : undefined,
  ];
  const remark = remarks.filter((each) => each !== undefined).join(' · ');
  const room = width - textWidth(name) - 4;
  const title = `${paint(state, marks[state], color)} ${color.bold(name)}`;
  const lines = [
    room > 8 && remark !== '' ? `${title}  ${color.dim(cutText(remark, room))}` : title,
    ...job.concerns.flatMap((concern, index) => row(index === 0 ? 'look at' : '', concern, look, state)),
    ...row('last good', lastGoodText(job), look),
    ...(job.schedule?.nextRun ? row('next run', nextRunText(job.schedule), look) : []),
    ...row('runs', runsText(job), look),
    ...chart(job, look),
    ...job.copies.flatMap((copy) => row(`at ${copy.destination}`, copyText(copy), look)),
    ...failures(job, look),
  ];
  return lines.join('\n');
}

/** A label and a text beside it, in as many lines as it needs; a label that is too long has a line to itself. */
function row(label: string, text: string, { color, width }: Look, state?: JobState): string[] {
  const margin = indent + labelWidth;
  const lines = wrapText(text, width - margin).map((line) => (state ? paint(state, line, color) : line));
  const own = textWidth(label) >= labelWidth;
  const shown = color.dim(own ? cutText(label, width - indent) : padText(label, labelWidth));
  const [first = '', ...rest] = own ? ['', ...lines] : lines;
  const blank = ' '.repeat(margin);
  return [`${' '.repeat(indent)}${shown}${first}`.trimEnd(), ...rest.map((line) => blank + line)];
}

function lastGoodText({ lastGood, copies }: JobReport): string {
  if (lastGood === undefined) return copies.some(({ problem }) => problem !== undefined) ? 'not known' : 'none';
  const { at, ageMs, storedBytes, destinations } = lastGood;
  const where = destinations.length > 0 ? `at ${destinations.join(', ')}` : 'by the history';
  return `${minute(at)}, ${formatAge(ageMs)}, ${formatBytes(storedBytes)}, ${where}`;
}

function nextRunText({ text, nextRun, missedAt }: ScheduleReport): string {
  const missed = missedAt === undefined ? '' : `; that of ${minute(missedAt)} did not come`;
  return `${nextRun ? minute(nextRun) : ''}, ${text}${missed}`;
}

function runsText({ counts, lastRun }: JobReport): string {
  const rate = successRate(counts);
  const missing = counts.fromSidecars > 0 ? ` · ${counts.fromSidecars} known only from their sidecars` : '';
  if (counts.total === 0) return lastRun ? `none; the last one was ${minute(lastRun.startedAt)}` : 'none yet';
  const share = rate === undefined || counts.good === counts.total ? '' : ` (${rate} good)`;
  return `${plural(counts.total, 'run')}: ${describeCounts(counts)}${share}${missing}`;
}

function chart(job: JobReport, look: Look): string[] {
  const beside = look.width >= roomForFigures;
  const room = look.width - indent - labelWidth - (beside ? figureWidth : 0);
  const columns = columnsOf(job.runs, look.now, room);
  if (columns.length === 0) return [];
  const lines = [
    { label: 'stored', values: columns.map(({ storedBytes }) => storedBytes?.min), of: 'storedBytes' as const },
    { label: 'took', values: columns.map(({ durationMs }) => durationMs?.max), of: 'durationMs' as const },
  ];
  const shown = lines.flatMap(({ label, values, of }) => {
    const figures = describeRange(job.runs, of);
    if (figures === undefined) return [];
    const blocks = look.color.cyan(sparkline(values));
    const line = prefix(label, look) + blocks;
    return beside ? [`${line}  ${figures}`] : [line.trimEnd(), ...row('', figures, look)];
  });
  const trouble = columns.map(markOf).join('');
  return [
    ...shown,
    ...(trouble.trim() === '' ? [] : [prefix('trouble', look) + colorMarks(trouble, look.color).trimEnd()]),
    prefix('', look) + look.color.dim(axis(columns, look.now)),
  ];
}

function prefix(label: string, { color }: Look): string {
  return ' '.repeat(indent) + color.dim(padText(label, labelWidth));
}

function markOf({ warned, failed }: Column): string {
  return failed > 0 ? '✗' : warned > 0 ? '!' : ' ';
}

function colorMarks(line: string, color: ChalkInstance): string {
  return line.replace(/✗+/g, (run) => color.red(run)).replace(/!+/g, (run) => color.yellow(run));
}

/** The first and the last day, where there is room for both. */
function axis(columns: readonly Column[], now: Date): string {
  const [first] = columns;
  if (first === undefined) return '';
  const [from, to] = [formatTime(first.from).slice(0, 10), formatTime(now).slice(0, 10)];
  const gap = columns.length - from.length - to.length;
  return gap < 1 ? `${from} …` : `${from}${' '.repeat(gap)}${to}`;
}

function copyText({ problem, holdings }: CopyReport): string {
  if (holdings === undefined) return problem ?? '';
  const { lastGood } = holdings;
  const verified = lastGood?.verifiedAt === undefined ? '' : `, verified ${minute(lastGood.verifiedAt)}`;
  const newest = lastGood === undefined ? '' : `; newest ${minute(lastGood.at)}${verified}`;
  return `${describeHoldings(holdings)}${newest}; ${describeOutlook(holdings, outlookDays)}`;
}

function failures({ failures: all, failureCount, name }: JobReport, look: Look): string[] {
  if (failureCount === 0) return [];
  const shown = all.slice(0, shownFailures).flatMap((failure, index) => failureLines(failure, index, look));
  const told = all.slice(0, shownFailures).reduce((sum, { times }) => sum + times, 0);
  const hidden = failureCount - told;
  const more = `${hidden} more: dbbackup history ${name}`;
  return [...shown, ...(hidden > 0 ? row('', more, look) : [])];
}

function failureLines(failure: Failure, index: number, look: Look): string[] {
  const { startedAt, kind, status, message, executionId, times, sinceAt } = failure;
  const said = message.startsWith(`${status}: `) ? message : `${status}: ${message}`;
  const text = cutText(`${minute(startedAt)} ${kind} ${said.replace(/\s+/g, ' ')}`, messageWidth);
  const before = times > 1 ? `the same ${times} times since ${minute(sinceAt)}; ` : '';
  const command = `${before}dbbackup logs ${executionId.slice(0, 8)}`;
  const label = index === 0 ? 'failures' : '';
  return [...row(label, text, look), ...row('', command, look).map((line) => look.color.dim(line))];
}

function legend({ color, width }: Look): string {
  const text =
    'Each column is a stretch of time, the last one now: "stored" shows its smallest backup, "took" its longest run, both from zero; an empty one had no run. ! partial, suspect or cancelled, ✗ failed.';
  return wrapText(text, width)
    .map((line) => color.dim(line))
    .join('\n');
}
