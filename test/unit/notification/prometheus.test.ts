import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prometheusType } from '../../../src/notification/prometheus.ts';
import { failure, openChannel, success } from './sample.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-prom-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = () => openChannel(prometheusType, { folder: '.' }, folder);

test('writes the figures of the job, readable by all, and nothing else', async () => {
  const umask = process.umask(0o077);
  try {
    await open().send(success);
  } finally {
    process.umask(umask);
  }
  expect(await readdir(folder)).toEqual(['dbbackup_shop-nightly.prom']);
  const file = join(folder, 'dbbackup_shop-nightly.prom');
  expect((await stat(file)).mode & 0o777).toBe(0o644);
  const job = 'job="shop-nightly"';
  const lines = (await readFile(file, 'utf8')).split('\n');
  expect(lines.at(-1)).toBe('');
  expect(lines.filter((line) => !line.startsWith('#') && line !== '')).toEqual([
    `dbbackup_last_run_timestamp_seconds{${job}} ${success.at.getTime() / 1000}`,
    `dbbackup_last_run_duration_seconds{${job}} 12.345`,
    `dbbackup_last_run_status{${job},status="completed"} 1`,
    `dbbackup_last_run_status{${job},status="partial"} 0`,
    `dbbackup_last_run_status{${job},status="suspect"} 0`,
    `dbbackup_last_run_status{${job},status="failed"} 0`,
    `dbbackup_last_run_status{${job},status="cancelled"} 0`,
    `dbbackup_last_success_timestamp_seconds{${job}} ${Date.parse('2026-11-20T03:00:12Z') / 1000}`,
    `dbbackup_last_success_duration_seconds{${job}} 12.345`,
    `dbbackup_last_success_raw_bytes{${job}} 1000000`,
    `dbbackup_last_success_stored_bytes{${job}} 100000`,
  ]);
  const named = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
  expect(new Set(named).size).toBe(named.length);
});

test('a failure keeps the time of the last success', async () => {
  await open().send({ ...failure, lastGood: success.lastGood });
  const text = await readFile(join(folder, 'dbbackup_shop-nightly.prom'), 'utf8');
  expect(text).toContain('status="failed"} 1\n');
  expect(text).toContain('dbbackup_last_success_raw_bytes{job="shop-nightly"} 1000000\n');
});

test('a test leaves nothing behind', async () => {
  expect(await open().send({ ...success, event: 'test', job: 'test' })).toContain('can be written');
  expect(await readdir(folder)).toEqual([]);
});

test('a missing folder is named', async () => {
  const sent = openChannel(prometheusType, { folder: 'missing' }, folder).send(success);
  await expect(sent).rejects.toMatchObject({ code: 'NOTIFICATION_FAILED', retryable: false });
  await expect(sent).rejects.toThrow('missing/dbbackup_shop-nightly.prom cannot be written');
});
