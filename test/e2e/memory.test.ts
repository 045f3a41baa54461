/**
 * Peak memory does not grow with the database: kernel's own account (VmHWM) of every process of a run, sampled.
 * DBBACKUP_TEST_MEGABYTES: size of the larger database (default 120; `npm run soak` takes 1000).
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillNoise } from '../servers/sqlite-nasty.ts';
import { processesOf } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

const large = Number(process.env['DBBACKUP_TEST_MEGABYTES'] ?? 120);
const small = Math.round(large / 10);
const limitMb = 150;
/** What garbage collection and the allocator may make of the same work. */
const noiseMb = 40;

describe('peak memory', { timeout: 120_000 + large * 2_000 }, () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await makeWorkplace();
    await place.configure(`
sources: { small: { type: sqlite, path: small.sqlite }, large: { type: sqlite, path: large.sqlite } }
destinations: { disk: { type: local, path: backups } }
jobs:
  small: { source: small, destinations: disk }
  large: { source: large, destinations: disk }
`);
    fillNoise(place.path('small.sqlite'), small);
    fillNoise(place.path('large.sqlite'), large);
  }, 300_000);
  afterAll(() => place.remove());

  async function peakOf(...args: string[]): Promise<number> {
    const { ended } = place.start(args);
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, ...processesOf(place).map(peakMbOf));
    }, 15);
    expectCode(await ended.finally(() => clearInterval(watch)), 0);
    return peak;
  }

  test.each([
    ['run', (job: string) => ['run', job]],
    ['verify', (job: string) => ['verify', `${job}@latest`]],
    ['restore', (job: string) => ['restore', `${job}@latest`, '--to', `${job}.restored`]],
  ])(`%s: at most ${limitMb} MB, for ${small} MB as for ${large} MB`, async (name, command) => {
    const peaks = { small: await peakOf(...command('small')), large: await peakOf(...command('large')) };
    process.stdout.write(`memory: ${name} of ${small} MB ${peaks.small} MB, of ${large} MB ${peaks.large} MB\n`);
    expect(peaks.small).toBeGreaterThan(20);
    expect(peaks.large).toBeLessThanOrEqual(limitMb);
    expect(peaks.large).toBeLessThanOrEqual(peaks.small + noiseMb);
  });
});

/** MB (10^6 bytes); 0 for one that has ended. */
function peakMbOf(pid: number): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0;
    return Math.round((Number(kib) * 1024) / 1e6);
  } catch {
    return 0;
  }
}
