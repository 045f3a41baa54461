/**
 * The report as one page. Guarantees: it needs nothing else, by a policy that forbids every request and every script;
 * it says the same in light, dark, narrow and on paper. Refuses: text that was not escaped (see markup.ts).
 */
import type { JobReport, JobState, Report } from '../../../operation/report/report.ts';
import { pageMark } from '../../../operation/report/write-page.ts';
import { formatBytes } from '../../../value/figure.ts';
import { formatAge, formatZone, plural, successRate } from '../figures.ts';
import { jobSection, moment, stateBadge, unknownGood } from './job-section.ts';
import { type Content, html, Markup } from './markup.ts';
import { style } from './style.ts';

const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export function htmlReport(report: Report): string {
  const { host, jobs, generatedAt, tool } = report;
  const zone = formatZone(report.timezone, generatedAt);
  const body = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>Backups of ${host}: ${verdict(jobs)}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header>
<h1>${verdict(jobs)}</h1>
<p>Backups of <bdi>${host}</bdi> as of ${moment(generatedAt)} ${zone}, runs since ${moment(report.since)}${
    !report.destinationsRead && ', from the history alone: no destination was asked'
  }</p>
</header>
<main>
${jobs.length > 1 && html`<nav aria-label="Jobs"><ul class="cards">${inOrder(jobs).map(card)}</ul></nav>`}
${jobs.length === 0 && html`<p class="empty">Neither the config nor the history has a job. <code>dbbackup run &lt;job&gt;</code> makes the first backup.</p>`}
${inOrder(jobs).map(({ job, id }) => jobSection(job, { now: generatedAt, jobs: jobs.length }, id))}
</main>
<footer>Made by ${tool.name} ${tool.version}. Times are ${zone}. Sizes, copies and retention are what the destinations said then; runs and failures are from the history of this machine.</footer>
</body>
</html>
`;
  return pageMark + body.text;
}

/** The one sentence that is read when nothing else is. */
function verdict(jobs: readonly JobReport[]): string {
  const count = (state: JobState) => jobs.filter((job) => job.state === state).length;
  const [failing, warning, idle] = [count('failing'), count('warning'), count('idle')];
  if (jobs.length === 0) return 'No jobs';
  const of = (some: number) =>
    some === jobs.length ? plural(some, 'job') : `${some} of ${plural(jobs.length, 'job')}`;
  if (failing > 0) return `${of(failing)} failing${warning > 0 ? `, ${warning} more to look at` : ''}`;
  if (warning > 0) return `${of(warning)} to look at`;
  if (idle === jobs.length) return 'No backups yet';
  return idle > 0 ? `${plural(jobs.length - idle, 'job')} good, ${idle} without a run` : 'All good';
}

const gravity: Readonly<Record<JobState, number>> = { failing: 0, warning: 1, good: 2, idle: 3 };

interface Placed {
  readonly job: JobReport;
  /** Names of jobs are no ids of a page: they may begin with a digit, and one may be another's with `-h`. */
  readonly id: string;
}

/** What needs somebody comes first. */
function inOrder(jobs: readonly JobReport[]): readonly Placed[] {
  const placed = jobs.map((job, index) => ({ job, id: `job${index + 1}` }));
  return placed.sort((a, b) => gravity[a.job.state] - gravity[b.job.state]);
}

function card({ job, id }: Placed): Markup {
  const { name, state, lastGood, counts } = job;
  const rate = successRate(counts);
  const size: Content = lastGood && `${formatBytes(lastGood.storedBytes)} · `;
  return html`<li><a href="#${id}"><span class="top"><b><bdi>${name}</bdi></b>${stateBadge(state)}</span>
<span class="age">${lastGood ? formatAge(lastGood.ageMs) : unknownGood(job)}</span>
<span class="dim">last good backup</span>
<span class="dim last">${size}${rate === undefined ? 'no runs' : `${rate} of ${plural(counts.total, 'run')} good`}</span></a></li>`;
}
