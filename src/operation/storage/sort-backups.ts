import { facets } from './facet.ts';
import { type StoredBackup, startedAt } from './stored-backup.ts';

export const sortFields = ['time', 'job', 'size', 'raw', 'duration', 'type', 'destination', 'encryption'] as const;
export type SortField = (typeof sortFields)[number];

export interface ListOrder {
  readonly by: SortField;
  readonly reverse: boolean;
}

type Compare = (a: StoredBackup, b: StoredBackup) => number;

/** Sizes and durations: largest first; names from a to z. Nothing for times, which decide among equals anyway. */
const comparisons: Readonly<Record<Exclude<SortField, 'time'>, Compare>> = {
  size: descending(({ object }) => object?.size ?? 0),
  raw: descending(({ sidecar }) => sidecar?.artifact.rawBytes ?? 0),
  duration: descending(({ sidecar }) => sidecar?.durationMs ?? 0),
  job: ascending((backup) => facets.job(backup).join()),
  type: ascending((backup) => facets.type(backup).join()),
  destination: ascending((backup) => facets.destination(backup).join()),
  encryption: ascending((backup) => facets.encryption(backup).join()),
};
const byPlace = ascending(({ on }) => on.name);
const byKey = ascending(({ key }) => key);

/** What is equal stands newest first, then by place and key, so that pages never overlap. */
export function sortBackups(
  backups: readonly StoredBackup[],
  { by, reverse }: ListOrder = { by: 'time', reverse: false },
): readonly StoredBackup[] {
  const first = by === 'time' ? undefined : comparisons[by];
  // Parsing a time at every comparison would be most of the work.
  const timed = backups.map((backup) => ({ backup, time: startedAt(backup).getTime() }));
  timed.sort((a, b) => {
    const byTime = b.time - a.time;
    const primary = first === undefined ? byTime : first(a.backup, b.backup);
    return (reverse ? -primary : primary) || byTime || byPlace(a.backup, b.backup) || byKey(a.backup, b.backup);
  });
  return timed.map(({ backup }) => backup);
}

function descending(value: (backup: StoredBackup) => number): Compare {
  return (a, b) => value(b) - value(a);
}

function ascending(value: (backup: StoredBackup) => string): Compare {
  return (a, b) => {
    const [left, right] = [value(a), value(b)];
    return left < right ? -1 : Number(left > right);
  };
}
