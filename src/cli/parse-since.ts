import { DbBackupError } from '../errors.ts';

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `2026-11-01`, an ISO time, or an age: `90m`, `12h`, `7d`, `2w`. Throws USAGE. */
export function parseSince(text: string, now = Date.now()): Date {
  return new Date(/^\d+[mhdw]$/.test(text) ? now - parseAge(text) : parseTime(text));
}

/** An age in ms: `90m`, `12h`, `7d`, `2w`. Throws USAGE. */
export function parseAge(text: string): number {
  const match = /^(\d+)([mhdw])$/.exec(text);
  if (!match) throw new DbBackupError('USAGE', `"${text}" is no duration`, { hint: 'Write it as 90m, 12h, 7d or 2w.' });
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}

function parseTime(text: string): number {
  const time = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text);
  if (!Number.isNaN(time)) return time;
  throw new DbBackupError('USAGE', `"${text}" is no time`, {
    hint: 'Write it as 2026-11-01, 2026-11-01T03:00 or an age such as 7d.',
  });
}
