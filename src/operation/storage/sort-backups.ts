import { facets } from './facet.ts';
import { type StoredBackup, startedAt } from './stored-backup.ts';

export const sortFields = ['time', 'job', 'size', 'raw', 'duration', 'type', 'destination', 'encryption'] as const;
export type SortField = (typeof sortFields)[number];

export interface ListOrder {
  readonly by: SortField;
  readonly reverse: boolean;
}

/** Parsing a time at every comparison would be most of the work. */
interface Timed {
  readonly backup: StoredBackup;
  readonly time: number;
}

type Compare = (a: Timed, b: Timed) => number;

/** Times: newest first; sizes and durations: largest first; names from a to z. */
const comparisons: Readonly<Record<SortField, Compare>> = {
  time: (a, b) => b.time - a.time,
  size: descending(({ object }) => object?.size ?? 0),
  raw: descending(({ sidecar }) => sidecar?.artifact.rawBytes ?? 0),
  duration: descending(({ sidecar }) => sidecar?.durationMs ?? 0),
  job: ascending((backup) => facets.job(backup)),
  type: ascending((backup) => facets.type(backup)),
  destination: ascending((backup) => facets.destination(backup)),
  encryption: ascending((backup) => facets.encryption(backup)),
};

/** What is equal stands newest first, then by place and key, so that pages never overlap. */
export function sortBackups(
  backups: readonly StoredBackup[],
  order: ListOrder = { by: 'time', reverse: false },
): readonly StoredBackup[] {
  const first = comparisons[order.by];
  const place = ascending(({ on, key }) => [on.name, key]);
  const timed = backups.map((backup) => ({ backup, time: startedAt(backup).getTime() }));
  timed.sort((a, b) => {
    const primary = order.reverse ? first(b, a) : first(a, b);
    return primary || comparisons.time(a, b) || place(a, b);
  });
  return timed.map(({ backup }) => backup);
}

function descending(value: (backup: StoredBackup) => number): Compare {
  return (a, b) => value(b.backup) - value(a.backup);
}

function ascending(values: (backup: StoredBackup) => readonly string[]): Compare {
  return (a, b) => {
    const [left, right] = [values(a.backup).join('\0'), values(b.backup).join('\0')];
    return left < right ? -1 : Number(left > right);
  };
}
