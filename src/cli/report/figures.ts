/** Figures of a report as people read them, the same on the terminal and on the page. */
import type { Counts, Holdings, Run } from '../../operation/report/report.ts';
import { formatBytes, formatDuration, plural } from '../../value/figure.ts';

export { plural };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Coarse, as one asks for it: `just now`, `5 min ago`, `19 h ago`, `12 d ago`. */
export function formatAge(ms: number): string {
  if (ms < -minuteMs) return 'in the future';
  if (ms < minuteMs) return 'just now';
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min ago`;
  if (ms < 2 * dayMs) return `${Math.floor(ms / hourMs)} h ago`;
  return `${Math.floor(ms / dayMs)} d ago`;
}

/** `Europe/Zurich (UTC+01:00)`: the zone of all times of a report, with its offset at that moment. */
export function formatZone(timezone: string, time: Date): string {
  return timezone === 'UTC' ? 'UTC' : `${timezone} (${formatOffset(time)})`;
}

function formatOffset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `UTC${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

/** `87 good, 1 suspect, 2 failed`; `none` without one. */
export function describeCounts({ total, good, partial, suspect, cancelled, failed, running }: Counts): string {
  if (total === 0) return 'none';
  const counts = Object.entries({ good, partial, suspect, cancelled, failed, 'not ended': running });
  const told = counts.filter(([name, count]) => count > 0 || name === 'good');
  return told.map(([name, count]) => `${count.toLocaleString('en')} ${name}`).join(', ');
}

/** Of the runs that ended, as `97%`; never rounded up to 100. Undefined before the first. */
export function successRate({ total, good, running }: Counts): string | undefined {
  const ended = total - running;
  return ended === 0 ? undefined : `${Math.floor((good / ended) * 100)}%`;
}

/** `28 backups, 340 MB, 1 suspect, 2 locked`. */
export function describeHoldings({ backups, storedBytes, suspect, locked, damaged }: Holdings): string {
  const parts = [
    backups === 0 ? 'no backups' : `${plural(backups, 'backup')}, ${formatBytes(storedBytes)}`,
    suspect > 0 ? `${suspect} suspect` : '',
    locked > 0 ? `${locked} locked` : '',
    damaged > 0 ? `${damaged} damaged or incomplete` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** What retention does with them, in one sentence without its end. */
export function describeOutlook({ retention }: Holdings, days: number): string {
  const { rules, problem, deletions } = retention;
  if (rules === undefined) return 'keeps everything';
  if (problem !== undefined) return `${rules}: what it will do cannot be told, ${problem}`;
  const due = deletions.filter((each) => each.due).length;
  const later = deletions.length - due;
  if (deletions.length === 0) return `${rules}: deletes nothing within ${days} days`;
  const parts = [
    due > 0 ? `deletes ${due} at the next prune` : '',
    later > 0 ? `${due > 0 ? '' : 'deletes '}${later}${due > 0 ? ' more' : ''} within ${days} days` : '',
  ];
  return `${rules}: ${parts.filter((part) => part !== '').join(', ')}`;
}

/** The smallest and the largest of the runs, `12.3 MB` where they are one; undefined without any. */
export function describeRange(runs: readonly Run[], of: 'storedBytes' | 'durationMs'): string | undefined {
  const values = runs.map((run) => run[of]).filter((value) => value !== undefined);
  const [first, last] = [values[0], values.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const format = of === 'storedBytes' ? formatBytes : formatDuration;
  const { min, max } = values.reduce(
    (range, value) => ({ min: Math.min(range.min, value), max: Math.max(range.max, value) }),
    { min: first, max: first },
  );
  const [low, high] = [format(min), format(max)];
  return low === high ? low : `${low} to ${high}, latest ${format(last)}`;
}
