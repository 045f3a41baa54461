/** One job of the page: what to look at, facts, charts, copies, what retention will do, failures, the newest runs. */
import {
  type CopyReport,
  type Deletion,
  type Failure,
  type Holdings,
  type JobReport,
  type JobState,
  outlookDays,
  type Run,
} from '../../../operation/report/report.ts';
import { formatBytes, formatDuration, formatSavings } from '../../../value/figure.ts';
import { formatTime } from '../../format.ts';
import { describeCounts, describeOutlook, formatAge, plural, successRate } from '../figures.ts';
import { chart, type Surroundings } from './chart.ts';
import { type Content, html, type Markup } from './markup.ts';

const shownRuns = 15;
const shownDeletions = 60;

export const stateWords: Readonly<Record<JobState, string>> = {
  good: '✓ good',
  warning: '! look at it',
  failing: '✗ failing',
  idle: '– nothing yet',
};

export function jobSection(job: JobReport, page: Surroundings, id: string): Markup {
  const { name, description, source, disabled, state, concerns } = job;
  const about = [
    description,
    source ? `source ${source.name} (${source.type})` : 'not in the config',
    disabled ? 'disabled' : undefined,
  ];
  return html`<section id="${id}" aria-labelledby="${id}-h">
<div class="head"><h2 id="${id}-h"><bdi>${name}</bdi></h2>${stateBadge(state)}</div>
<p class="dim"><bdi>${about.filter((each) => each !== undefined).join(' · ')}</bdi></p>
${concerns.length > 0 && html`<ul class="concerns ${state}">${concerns.map((each) => html`<li>${capital(each)}.</li>`)}</ul>`}
${facts(job, page.now)}
${chart(job, page, `${id}-c`) ?? html`<p class="empty">No run in this time, so there is nothing to draw.</p>`}
${copies(job)}
${failures(job)}
${newestRuns(job)}
</section>
`;
}

export function stateBadge(state: JobState): Markup {
  return html`<span class="state ${state}">${stateWords[state]}</span>`;
}

/** Local for the reader's eye, with its zone for whoever needs it exactly. */
export function moment(time: Date): Markup {
  return html`<time datetime="${time.toISOString()}" title="${time.toISOString()}">${formatTime(time).slice(0, 16)}</time>`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function facts(job: JobReport, now: Date): Markup {
  const { lastGood, lastRun, counts, schedule } = job;
  const rate = successRate(counts);
  const size = lastGood && formatBytes(lastGood.storedBytes);
  const of =
    lastGood && `of ${formatBytes(lastGood.rawBytes)}, ${formatSavings(lastGood.rawBytes, lastGood.storedBytes)}`;
  return html`<dl class="facts">
${fact('Last good backup', lastGood ? formatAge(lastGood.ageMs) : unknownGood(job), lastGood && [moment(lastGood.at), whereText(lastGood.destinations)])}
${fact('Its size', size ?? '–', of)}
${fact('Runs', rate === undefined ? 'none' : `${rate} good`, [rate !== undefined && describeCounts(counts), counts.fromSidecars > 0 && ` (${counts.fromSidecars.toLocaleString('en')} known only from their sidecars)`])}
${fact('Last run', lastRun ? formatAge(now.getTime() - lastRun.startedAt.getTime()) : 'never', lastRun && [moment(lastRun.startedAt), `, ${lastRun.status}`])}
${schedule?.nextRun && fact('Next run', formatTime(schedule.nextRun).slice(0, 16), [schedule.text, schedule.missedAt && html`, <span class="word warned">! that of ${moment(schedule.missedAt)} did not come</span>`])}
</dl>`;
}

function fact(name: string, value: string, rest: Content): Markup {
  return html`<div><dt>${name}</dt><dd><b>${value}</b>${rest}</dd></div>`;
}

/** What is said in place of a last good backup. */
export function unknownGood({ copies: all }: JobReport): string {
  return all.some(({ problem }) => problem !== undefined) ? 'not known' : 'none';
}

function whereText(destinations: readonly string[]): string {
  return destinations.length > 0 ? ` at ${destinations.join(', ')}` : ' by the history';
}

function copies({ copies: all }: JobReport): Content {
  if (all.length === 0) return undefined;
  return html`<h3>Where it lies, and what retention will do</h3>
<table class="stack"><thead><tr><th scope="col">Destination</th><th scope="col">Holds</th><th scope="col">Newest good</th><th scope="col">Verified</th><th scope="col">Retention</th></tr></thead>
<tbody>${all.map(copyRow)}</tbody></table>
${all.map(deletions)}`;
}

function copyRow({ destination, type, problem, holdings }: CopyReport): Markup {
  const name = html`<th scope="row"><bdi>${destination}</bdi> <span class="dim">${type}</span></th>`;
  if (holdings === undefined) {
    return html`<tr>${name}<td colspan="4" data-label="Trouble"><span><span class="word failed">✗</span> ${problem}</span></td></tr>`;
  }
  const { lastGood } = holdings;
  return html`<tr>${name}<td data-label="Holds"><span>${holdsText(holdings)}</span></td><td data-label="Newest good">${
    lastGood ? moment(lastGood.at) : noneGood(holdings)
  }</td><td data-label="Verified">${
    lastGood?.verifiedAt ? moment(lastGood.verifiedAt) : html`<span class="dim n">not yet</span>`
  }</td><td data-label="Retention"><span>${capital(describeOutlook(holdings, outlookDays))}</span></td></tr>`;
}

/** Where nothing ever was there is nothing to be alarmed about. */
function noneGood({ backups, damaged }: Holdings): Markup {
  return backups + damaged === 0 ? html`<span class="dim">none</span>` : html`<span class="word failed">✗ none</span>`;
}

function holdsText({ backups, storedBytes, suspect, locked, damaged }: Holdings): Content {
  return [
    backups === 0
      ? html`<span class="n">no backups</span>`
      : html`<span class="n">${plural(backups, 'backup')}</span>, <span class="n">${formatBytes(storedBytes)}</span>`,
    suspect > 0 && html`, <span class="word warned n">${suspect} suspect</span>`,
    locked > 0 && html`, <span class="n">${locked} locked</span>`,
    damaged > 0 && html`, <span class="word failed">${damaged} damaged or incomplete</span>`,
  ];
}

function deletions({ destination, holdings }: CopyReport): Content {
  const all = holdings?.retention.deletions ?? [];
  if (all.length === 0) return undefined;
  const hidden = all.length - shownDeletions;
  return html`<details><summary>The ${plural(all.length, 'backup')} to be deleted at ${destination}</summary>
<p class="dim">If every run succeeds; locked backups and the newest good one always stay. <code>dbbackup prune --dry-run</code> tells why each stays or goes.</p>
<div class="wide"><table><thead><tr><th scope="col">Deleted</th><th scope="col">Backup</th><th scope="col">Made</th><th scope="col">Stored</th></tr></thead>
<tbody>${all.slice(0, shownDeletions).map(deletionRow)}</tbody></table></div>
${hidden > 0 && html`<p class="dim">and ${hidden.toLocaleString('en')} more</p>`}</details>`;
}

function deletionRow({ at, due, backupId, startedAt, storedBytes }: Deletion): Markup {
  return html`<tr><td>${due ? 'at the next prune' : html`after ${moment(at)}`}</td><td><code>${backupId?.slice(0, 6) ?? '?'}</code></td><td>${moment(startedAt)}</td><td class="n">${storedBytes === undefined ? '' : formatBytes(storedBytes)}</td></tr>`;
}

function failures({ failures: all, failureCount, name }: JobReport): Content {
  if (failureCount === 0) return undefined;
  const hidden = failureCount - all.reduce((sum, { times }) => sum + times, 0);
  return html`<h3>${failureCount === 1 ? 'One run with trouble' : html`${failureCount.toLocaleString('en')} runs with trouble`}</h3>
<ol class="failures">${all.slice(0, 3).map(failureItem)}</ol>
${all.length > 3 && html`<details><summary>${plural(all.length - 3, 'earlier one')}</summary><ol class="failures">${all.slice(3).map(failureItem)}</ol></details>`}
${hidden > 0 && html`<p class="dim">${hidden.toLocaleString('en')} more: <code>dbbackup history ${name}</code></p>`}`;
}

function failureItem({ executionId, kind, startedAt, times, sinceAt, status, message, hint }: Failure): Markup {
  const outcome = status === 'failed' || status === 'interrupted' ? 'failed' : 'warned';
  const id = executionId.slice(0, 8);
  const often = times > 1 && html`, ${times.toLocaleString('en')} times since ${moment(sinceAt)}`;
  return html`<li>${moment(startedAt)} · ${kind} <span class="word ${outcome}">${outcome === 'failed' ? '✗' : '!'} ${status}</span>${often}
<p class="what"><bdi>${message}</bdi></p>
<p class="dim">${hint !== undefined && html`${hint} `}<code>dbbackup logs ${id}</code></p></li>`;
}

function newestRuns({ runs }: JobReport): Content {
  if (runs.length === 0) return undefined;
  const newest = runs.slice(-shownRuns).reverse();
  return html`<details><summary>The newest ${newest.length === 1 ? 'run' : plural(newest.length, 'run')} in figures</summary>
<div class="wide"><table><thead><tr><th scope="col">Started</th><th scope="col">Result</th><th scope="col">Took</th><th scope="col">Raw</th><th scope="col">Stored</th><th scope="col">Execution</th></tr></thead>
<tbody>${newest.map(runRow)}</tbody></table></div></details>`;
}

const runMarks = { good: '✓', warned: '!', failed: '✗', running: '…' } as const;

function runRow({ startedAt, status, outcome, durationMs, rawBytes, storedBytes, executionId }: Run): Markup {
  const figure = (value: number | undefined, format: (known: number) => string) =>
    html`<td class="n">${value === undefined ? '' : format(value)}</td>`;
  return html`<tr><td>${moment(startedAt)}</td><td class="n"><span class="word ${outcome}">${runMarks[outcome]} ${status}</span></td>${figure(durationMs, formatDuration)}${figure(rawBytes, formatBytes)}${figure(storedBytes, formatBytes)}<td>${executionId ? html`<code>${executionId.slice(0, 8)}</code>` : html`<span class="dim">sidecar only</span>`}</td></tr>`;
}
