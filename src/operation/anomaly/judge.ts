/**
 * Is a backup what one expects after those before it? Pure: sidecars in, a reason out. Fewer than three earlier backups
 * say nothing about what is normal.
 */
import type { AnomalyLimits } from '../../config/config.ts';
import type { Sidecar } from '../../sidecar/sidecar.ts';

/** Fewer say nothing. */
export const fewest = 3;

interface Measure {
  readonly name: string;
  /** Undefined where this backup has no such figure, or one that cannot be compared. */
  of(sidecar: Sidecar): number | undefined;
  /** Shares: 0.5 = by half. */
  readonly drop?: number;
  readonly growth?: number;
}

/** The first thing that is out of proportion, in words; undefined for a backup that looks like the others. */
export function judge(backup: Sidecar, earlier: readonly Sidecar[], limits: AnomalyLimits): string | undefined {
  for (const { name, of, drop, growth } of measures(backup, limits)) {
    const now = of(backup);
    const before = earlier.map(of).filter((value) => value !== undefined);
    if (now === undefined || before.length < fewest) continue;
    const usual = median(before);
    if (usual === 0) continue;
    const change = now / usual - 1;
    const against = `against the median of ${before.length} good backups (${usual} → ${now})`;
    if (drop !== undefined && change < -drop) return `${name} fell by ${percent(-change)} ${against}`;
    if (growth !== undefined && change > growth) return `${name} grew by ${percent(change)} ${against}`;
  }
  return undefined;
}

function measures(backup: Sidecar, limits: AnomalyLimits): readonly Measure[] {
  const { sizeDrop: drop, sizeGrowth: growth } = limits;
  return [
    { name: 'raw size in bytes', of: (sidecar) => sidecar.artifact.rawBytes, drop, growth },
    { name: 'stored size in bytes', of: (sidecar) => storedAs(backup, sidecar), drop, growth },
    { name: 'number of rows', of: rowsOf, drop: limits.rowDrop },
    { name: 'duration in ms', of: (sidecar) => sidecar.durationMs, growth: limits.durationGrowth },
  ];
}

/** Another codec or level stores another size of the same data. */
function storedAs({ compression }: Sidecar, other: Sidecar): number | undefined {
  const same = other.compression.type === compression.type && other.compression.level === compression.level;
  return same ? other.artifact.storedBytes : undefined;
}

function rowsOf({ contents }: Sidecar): number | undefined {
  const counts = contents.flatMap(({ tables }) => Object.values(tables)).filter((count) => count !== null);
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
