/**
 * 6 GB to S3 and back at default settings, within a bounded memory: kernel's own account (VmHWM), sampled. Needs 25 GB of
 * disk and ten minutes, so only with DBBACKUP_TEST_LARGE=1 (`npm run soak`). DBBACKUP_TEST_LARGE_MEGABYTES: default 6000.
 */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type S3Server, startS3 } from '../servers/s3.ts';
import { fillNoise } from '../servers/sqlite-nasty.ts';
import { processesOf } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

const megabytes = Number(process.env['DBBACKUP_TEST_LARGE_MEGABYTES'] ?? 6000);
const limitMb = 250;

describe.runIf(process.env['DBBACKUP_TEST_LARGE'] === '1')('a large backup in S3', { timeout: 1_800_000 }, () => {
  let place: Workplace;
  let s3: S3Server;

  beforeAll(async () => {
    s3 = await startS3({ maxParts: 10_000 });
    const { bucket, endpoint, accessKeyId, secretAccessKey } = s3.options;
    place = await makeWorkplace({ S3_SECRET: secretAccessKey });
    fillNoise(place.path('noise.sqlite'), megabytes);
    await place.configure(`sources: { noise: { type: sqlite, path: noise.sqlite } }
destinations: { cloud: { type: s3, bucket: ${bucket}, endpoint: "${endpoint}", accessKeyId: "${accessKeyId}", secretAccessKey: "${'$'}{S3_SECRET}" } }
jobs: { noise: { source: noise, destinations: cloud } }
`);
  }, 1_800_000);
  afterAll(async () => {
    await place?.remove();
    await s3?.stop();
  });

  async function peakOf(...args: string[]): Promise<number> {
    const { ended } = place.start(args);
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, ...processesOf(place).map(peakMbOf));
    }, 100);
    const started = Date.now();
    expectCode(await ended.finally(() => clearInterval(watch)), 0);
    process.stdout.write(
      `large: ${args[0]} of ${megabytes} MB: peak ${peak} MB, ${((Date.now() - started) / 1000).toFixed(0)} s\n`,
    );
    return peak;
  }

  test(`is stored, verified and fetched within ${limitMb} MB`, async () => {
    expect(await peakOf('run', 'noise')).toBeLessThanOrEqual(limitMb);
    await rm(place.path('noise.sqlite'));
    expect(await peakOf('verify', 'noise@latest')).toBeLessThanOrEqual(limitMb);
    expect(await peakOf('restore', 'noise@latest', '--output', 'back.sqlite')).toBeLessThanOrEqual(limitMb);
    expect(await s3.openUploads()).toEqual([]);
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
