import { describe, expect, test } from 'vitest';
import { isFirstOfSource } from '../../../src/operation/anomaly/guard.ts';
import { judge } from '../../../src/operation/anomaly/judge.ts';
import type { StoredBackup } from '../../../src/operation/storage/stored-backup.ts';
import type { Sidecar } from '../../../src/sidecar/sidecar.ts';

const limits = { sizeDrop: 0.5, rowDrop: 0.5 };

function sidecar({ raw = 1000, stored = 300, rows = 50, durationMs = 10, level = 3 } = {}): Sidecar {
  const hash = '0'.repeat(64);
  return {
    version: '1.0',
    id: '4f9c01aa-0000-4000-8000-000000000000',
    tool: { name: 'dbbackup', version: '0' },
    job: { name: 'shop' },
    source: { name: 'shop', type: 'sqlite', fingerprint: 'f', toolVersion: '3', databases: ['shop'] },
    backupType: 'full',
    startedAt: '2026-11-20T03:00:00.000Z',
    finishedAt: '2026-11-20T03:00:01.000Z',
    durationMs,
    host: 'here',
    trigger: 'manual',
    artifact: { name: 'a', format: 'sqlite', rawBytes: raw, storedBytes: stored, rawSha256: hash, storedSha256: hash },
    compression: { type: 'zstd', level },
    contents: [{ name: 'shop', tables: { a: rows, b: null } }],
    recover: [],
  };
}

const usual = [sidecar(), sidecar({ raw: 1100 }), sidecar({ raw: 900 }), sidecar()];

describe('anomaly guard', () => {
  test('finds nothing in a backup like the others', () => {
    expect(judge(sidecar({ raw: 950, stored: 280 }), usual, limits)).toBeUndefined();
  });

  test('names what fell, by how much, and against what', () => {
    const reason = judge(sidecar({ raw: 400 }), usual, limits);
    expect(reason).toBe('raw size in bytes fell by 60% against the median of 4 good backups (1000 → 400)');
  });

  test('looks at stored size and rows too', () => {
    expect(judge(sidecar({ stored: 100 }), usual, limits)).toMatch(/^stored size in bytes fell by 67%/);
    expect(judge(sidecar({ rows: 5 }), usual, limits)).toMatch(/^number of rows fell by 90%/);
  });

  test('lets a fall by just the limit pass', () => {
    expect(judge(sidecar({ raw: 500 }), usual, limits)).toBeUndefined();
  });

  test('looks at growth and duration only where asked', () => {
    const big = sidecar({ raw: 9000, durationMs: 500 });
    expect(judge(big, usual, limits)).toBeUndefined();
    expect(judge(big, usual, { sizeGrowth: 2 })).toMatch(/^raw size in bytes grew by 800%/);
    expect(judge(big, usual, { durationGrowth: 10 })).toMatch(/^duration in ms grew by 4900%/);
  });

  test('does not compare stored sizes of another level', () => {
    expect(judge(sidecar({ stored: 100, level: 19 }), usual, limits)).toBeUndefined();
  });

  test('knows no usual size before three good backups', () => {
    expect(judge(sidecar({ raw: 1 }), usual.slice(0, 2), limits)).toBeUndefined();
    expect(judge(sidecar({ raw: 1 }), usual.slice(0, 3), limits)).toBeDefined();
  });
});

test('the first backup of a changed source has nothing to be compared with, and the next one has', () => {
  const good = (id: string, fingerprint: string) => {
    const { source, ...rest } = sidecar();
    return { condition: 'complete', sidecar: { ...rest, id, source: { ...source, fingerprint } } } as StoredBackup;
  };
  const now = good('new', 'changed').sidecar ?? sidecar();
  expect(isFirstOfSource(now, [good('new', 'changed'), good('a', 'before'), good('b', 'before')])).toBe(true);
  expect(isFirstOfSource(now, [good('new', 'changed'), good('a', 'before'), good('b', 'changed')])).toBe(false);
  expect(isFirstOfSource(now, [good('new', 'changed')])).toBe(false);
});
