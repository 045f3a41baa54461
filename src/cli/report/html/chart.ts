/**
 * Sizes, durations and results of a job over one axis of time, as one SVG without a script. It stretches to the page's
 * width, so all text stands beside it in HTML and keeps its size on a phone. Sizes and durations begin at zero.
 */
import { type Column, columnsOf, type Range } from '../../../operation/report/columns.ts';
import type { JobReport } from '../../../operation/report/report.ts';
import { formatBytes, formatDuration } from '../../../value/figure.ts';
import { formatTime } from '../../format.ts';
import { describeCounts, describeRange, plural } from '../figures.ts';
import { type Content, html, type Markup } from './markup.ts';
import { type Scale, scaleOf, timeTicks, type Unit } from './scale.ts';

/** More could not be told apart on a phone. */
const mostColumns = 120;
const fewestColumns = 60;
/** Of all charts of a page together, so that one of many jobs stays light. */
const columnsOfPage = 5000;
const mostTicks = 7;
/** Units of the drawing: across at will, down they are pixels. */
const across = 1200;
/** `title` is the line of words above a band, with some air above and below it. */
const heights = { title: 44, size: 132, duration: 84, result: 18 };
const titleDown = 10;
/** Share of a column that is left free. */
const gap = 0.22;

interface Band {
  readonly title: string;
  readonly unit: Unit;
  readonly of: (column: Column) => Range | undefined;
  readonly figures?: string;
  readonly height: number;
}

/** What a chart and a section need to know of the page. */
export interface Surroundings {
  readonly now: Date;
  /** How many there are. */
  readonly jobs: number;
}

/** Nothing without a run that ended. */
export function chart(job: JobReport, { now, jobs }: Surroundings, id: string): Content {
  const most = Math.max(fewestColumns, Math.min(mostColumns, Math.floor(columnsOfPage / jobs)));
  const columns = columnsOf(job.runs, now, most);
  const [first, last] = [columns[0], columns.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const bands: readonly Band[] = [
    {
      ...{ title: 'Stored size', unit: 'bytes', of: ({ storedBytes }) => storedBytes, height: heights.size },
      figures: describeRange(job.runs, 'storedBytes'),
    },
    {
      ...{ title: 'Duration', unit: 'ms', of: ({ durationMs }) => durationMs, height: heights.duration },
      figures: describeRange(job.runs, 'durationMs'),
    },
  ];
  const drawn: Markup[] = [];
  const beside: Markup[] = [];
  let top = 0;
  for (const band of bands) {
    const scale = scaleOf(largest(columns, band), band.unit);
    beside.push(
      caption(band.title, band.figures ?? 'no backup yet', top),
      labels(scale, top + heights.title, band.height),
    );
    drawn.push(drawBand(columns, band, scale, top + heights.title));
    top += heights.title + band.height;
  }
  beside.push(caption('Results', describeCounts(job.counts), top));
  drawn.push(drawResults(columns, top + heights.title));
  const height = top + heights.title + heights.result;
  drawn.push(drawHints(columns, height));
  return html`<figure class="chart"><div class="plot" style="height:${height}px">
<svg viewBox="0 0 ${across} ${height}" preserveAspectRatio="none" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${job.name}: stored size, duration and results over time</title><desc id="${id}-d">${description(job, columns)}</desc>
${drawn}</svg>
${beside}</div>
<div class="times" aria-hidden="true">${timeTicks(first.from, last.to, mostTicks, now).map(timeLabel)}</div>
<figcaption>${legend(columns)}</figcaption></figure>`;
}

function largest(columns: readonly Column[], { of }: Band): number {
  return columns.reduce((most, column) => Math.max(most, of(column)?.max ?? 0), 0);
}

function caption(title: string, figures: string, top: number): Markup {
  return html`<p class="band" style="top:${top + titleDown}px"><b>${title}</b> ${figures}</p>`;
}

function labels({ ticks }: Scale, top: number, height: number): Markup {
  const each = ticks.map(({ at, label }) => html`<i style="top:${round(top + (1 - at) * height)}px">${label}</i>`);
  return html`<div class="scale" aria-hidden="true">${each}</div>`;
}

function timeLabel({ at, label }: { readonly at: number; readonly label: string }): Markup {
  return html`<i style="left:${round(at * 100)}%">${label}</i>`;
}

/** Each column light up to its largest value, and full up to its smallest. */
function drawBand(columns: readonly Column[], band: Band, scale: Scale, top: number): Markup {
  const bottom = top + band.height;
  const lines = scale.ticks.map(({ at }) => `M0 ${round(bottom - at * band.height)}H${across}`).join('');
  const paths: Record<string, string> = { spread: '', bar: '', 'bar odd': '' };
  columns.forEach((column, index) => {
    const range = band.of(column);
    if (range === undefined) return;
    // What is there is seen, however small it is.
    const y = (value: number) => bottom - Math.max(1.5, (value / scale.top) * band.height);
    paths[column.warned > 0 ? 'bar odd' : 'bar'] += box(columns, index, y(range.min), bottom);
    if (range.max > range.min) paths['spread'] += box(columns, index, y(range.max), y(range.min));
  });
  const drawn = Object.entries(paths).map(([name, path]) => path !== '' && html`<path class="${name}" d="${path}"/>`);
  return html`<path class="grid" d="${lines}"/>${drawn}
`;
}

/** By height, not by colour alone: low is good, half is a warning, full is a failure. */
function drawResults(columns: readonly Column[], top: number): Markup {
  const bottom = top + heights.result;
  const paths: Record<string, string> = { good: '', warned: '', failed: '' };
  const share: Record<string, number> = { good: 0.22, warned: 0.6, failed: 1 };
  columns.forEach((column, index) => {
    const result = resultOf(column);
    if (result === undefined) return;
    paths[result] += box(columns, index, bottom - (share[result] ?? 0) * heights.result, bottom);
  });
  const drawn = Object.entries(paths).map(([name, path]) => path !== '' && html`<path class="${name}" d="${path}"/>`);
  return html`<path class="grid" d="M0 ${bottom}H${across}"/>${drawn}
`;
}

function resultOf({ good, warned, failed }: Column): 'good' | 'warned' | 'failed' | undefined {
  if (failed > 0) return 'failed';
  if (warned > 0) return 'warned';
  return good > 0 ? 'good' : undefined;
}

/** What the pointer is told over a column. */
function drawHints(columns: readonly Column[], height: number): Markup {
  const width = across / columns.length;
  const hints = columns.map((column, index) => {
    if (resultOf(column) === undefined) return undefined;
    return html`<rect x="${round(index * width)}" width="${round(width)}" height="${height}"><title>${hint(column)}</title></rect>`;
  });
  return html`<g class="hints">${hints}</g>`;
}

function hint(column: Column): string {
  const { from, to, good, warned, failed, storedBytes, durationMs } = column;
  const counts = Object.entries({ good, 'partial, suspect or cancelled': warned, failed });
  const told = counts.filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`);
  const lines = [
    `${formatTime(from).slice(0, 16)} to ${formatTime(to).slice(0, 16)}`,
    told.join(', '),
    spread(storedBytes, formatBytes),
    spread(durationMs, formatDuration),
  ];
  return lines.filter((line) => line !== '').join('\n');
}

function spread(range: Range | undefined, format: (value: number) => string): string {
  if (range === undefined) return '';
  const [low, high] = [format(range.min), format(range.max)];
  return low === high ? low : `${low} to ${high}`;
}

function box(columns: readonly Column[], index: number, top: number, bottom: number): string {
  const width = across / columns.length;
  const x = round((index + gap / 2) * width);
  return `M${x} ${round(top)}h${round(width * (1 - gap))}V${round(bottom)}H${x}z`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function description({ counts, runs }: JobReport, columns: readonly Column[]): string {
  const [first, last] = [columns[0], columns.at(-1)];
  const sizes = describeRange(runs, 'storedBytes');
  const durations = describeRange(runs, 'durationMs');
  const parts = [
    first && last ? `From ${formatTime(first.from)} to ${formatTime(last.to)}` : '',
    `${plural(counts.total, 'run')}: ${describeCounts(counts)}`,
    sizes === undefined ? 'no backup was stored' : `stored size ${sizes}`,
    durations === undefined ? '' : `duration ${durations}`,
  ];
  return `${parts.filter((part) => part !== '').join('; ')}.`;
}

function legend(columns: readonly Column[]): Markup {
  const has = (test: (column: Column) => boolean) => columns.some(test);
  const spans = has(({ storedBytes: size, durationMs: time }) => differ(size) || differ(time));
  return html`<span class="key good">low: good</span>${
    has(({ warned }) => warned > 0) && html` <span class="key warned">half: partial, suspect or cancelled</span>`
  }${has(({ failed }) => failed > 0) && html` <span class="key failed">full: failed</span>`}${
    spans && html` <span class="key spread">light: up to the largest of several runs in one column</span>`
  }`;
}

function differ(range: Range | undefined): boolean {
  return range !== undefined && range.max > range.min;
}
