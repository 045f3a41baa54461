/**
 * `list` of many backups: the first time, when every sidecar is read, and afterwards. In a local folder and in an S3
 * store (Swift on this machine). BENCH_BACKUPS: how many (default 10000), BENCH_S3_BACKUPS (default 2000, because the
 * bench has to store them first).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, it } from 'vitest';
import { s3Type } from '../../src/destination/s3/s3.ts';
import { serializeSidecar } from '../../src/sidecar/sidecar.ts';
import { backupNumber, fillFolder } from '../servers/many-backups.ts';
import { type S3Server, startS3 } from '../servers/s3.ts';
import { type Command, measure, median, type Sample } from './measure.ts';

const program = resolve(import.meta.dirname, '../../bin/dbbackup.js');
const count = Number(process.env['BENCH_BACKUPS'] ?? 10_000);
const inS3 = Number(process.env['BENCH_S3_BACKUPS'] ?? 2000);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);

let folder: string;
let s3: S3Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-bench-'));
  await fillFolder(join(folder, 'backups'), count);
  if (inS3 > 0) {
    s3 = await startS3({ pageSize: 1000 });
    await fillBucket();
  }
  const { bucket, endpoint, accessKeyId } = s3?.options ?? {};
  const cloud =
    inS3 > 0
      ? `  cloud: { type: s3, bucket: ${bucket}, endpoint: "${endpoint}", accessKeyId: "${accessKeyId}", secretAccessKey: "\${S3_SECRET}" }\n`
      : '';
  await writeFile(
    join(folder, 'dbbackup.yaml'),
    `destinations:\n  disk: { type: local, path: ./backups }\n${cloud}state: { dir: ./state }\n`,
    { mode: 0o600 },
  );
});

afterAll(async () => {
  await s3?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function fillBucket(): Promise<void> {
  const destination = s3Type.open({ ...s3.options }, '/');
  const put = (key: string, content: Buffer) =>
    destination.put(key, Readable.from([content], { objectMode: false }), { signal: new AbortController().signal });
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < inS3; index = next++) {
      const { key, data, sidecar } = backupNumber(index);
      await put(key, data);
      await put(`${key}.meta.json`, serializeSidecar(sidecar));
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

it('measures', async () => {
  const list = (destination: string, ...more: string[]): Command => ({
    command: process.execPath,
    args: [program, 'list', destination, ...more],
    cwd: folder,
    env: { DBBACKUP_STATE_DIR: join(folder, 'state'), S3_SECRET: s3?.options.secretAccessKey },
  });
  const forget = () => rm(join(folder, 'state'), { recursive: true, force: true });
  const lines: string[] = [];
  const show = async (name: string, command: Command) => {
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round += 1) samples.push(await measure(command));
    const seconds = median(samples.map((sample) => sample.seconds)).toFixed(2);
    const cpu = median(samples.map((sample) => sample.cpuSeconds)).toFixed(2);
    lines.push(
      `${name.padEnd(44)}${seconds.padStart(7)} s  ${cpu.padStart(6)} s of cpu  ${Math.max(...samples.map(({ peakMb }) => peakMb)).toFixed(0)} MB`,
    );
    process.stdout.write(`\n${lines.at(-1)}\n`);
  };
  for (const [destination, number] of [
    ['disk', count],
    ['cloud', inS3],
  ] as const) {
    if (number === 0) continue;
    await show(`${number} in ${destination}, first time`, { ...list(destination), prepare: forget });
    await show(`${number} in ${destination}, again`, list(destination));
    await show(
      `${number} in ${destination}, again, one job, --limit 20`,
      list(destination, '--job', 'job-3', '--limit', '20'),
    );
  }
  process.stdout.write(`\nmedians of ${rounds}\n${lines.join('\n')}\n`);
});
