/** SQLite behind a prefix: real ssh to the suite's own sshd, and a cleaned environment. The contract tests do the rest. */
import { mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type SftpServer, startSshd } from '../servers/sftp.ts';
import { fillNasty, fillNoise, fingerprintOf } from '../servers/sqlite-nasty.ts';
import { sshWords } from '../servers/ssh-words.ts';
import { backupsOf, programsBehindPrefix } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

const origin = "it's $(x).db";

let place: Workplace;
let sshd: SftpServer;
beforeAll(async () => {
  sshd = await startSshd();
  place = await makeWorkplace();
  await mkdir(place.path('there'));
  await mkdir(place.path('tmp'));
  fillNasty(place.path('there', origin));
  fillNoise(place.path('there', 'noise.db'), 20);
  const ways = {
    ssh: [...sshWords(sshd), 'env', `TMPDIR=${place.path('tmp')}`],
    env: ['env', '-i', `PATH=${process.env['PATH']}`, `TMPDIR=${place.path('tmp')}`],
  };
  const source = (name: string, way: keyof typeof ways, file: string) => `
  ${name}-${way}: { type: sqlite, path: ${JSON.stringify(place.path('there', file))}, prefix: ${JSON.stringify(ways[way])} }`;
  const files = [
    ['shop', origin],
    ['back', 'back.db'],
    ['noise', 'noise.db'],
    ['none', 'none.db'],
  ] as const;
  const sources = files.flatMap(([name, file]) => [source(name, 'ssh', file), source(name, 'env', file)]);
  await place.configure(`
sources:${sources.join('')}
destinations:
  disk: { type: local, path: backups }
  slow: { type: local, path: backups, limit: 200KB/s }
jobs:
  copy-ssh: { source: shop-ssh, destinations: disk }
  text-ssh: { source: shop-ssh, destinations: disk, format: sql }
  noise: { source: noise-env, destinations: disk, compression: none }
  slow-ssh: { source: noise-ssh, destinations: slow, compression: none }
  slow-env: { source: noise-env, destinations: slow, compression: none }
  none: { source: none-env, destinations: disk }
`);
});
afterAll(async () => {
  await place.remove();
  await sshd.stop();
});

const there = () => readdir(place.path('there'));
const temporary = () => readdir(place.path('tmp'));
const isOver = (name: string) =>
  vi.waitUntil(() => programsBehindPrefix(name, place).length === 0, { timeout: 30_000, interval: 50 });

test.each(['copy', 'text'])('%s: there and back by ssh', async (format) => {
  const job = `${format}-ssh`;
  expectCode(await place.run('run', job), 0);
  expectCode(await place.run('verify', `${job}@latest`), 0);
  await rm(place.path('there', 'back.db'), { force: true });
  expectCode(await place.run('restore', `${job}@latest`, '--to', 'back-ssh'), 0);
  expect(fingerprintOf(place.path('there', 'back.db'))).toEqual(fingerprintOf(place.path('there', origin)));
  if (format === 'text') return;
  expectCode(await place.run('restore', `${job}@latest`, '--to', 'back-env'), 3);
  expectCode(await place.run('restore', `${job}@latest`, '--to', 'back-env', '--clean', '--yes'), 0);
  expect(fingerprintOf(place.path('there', 'back.db'))).toEqual(fingerprintOf(place.path('there', origin)));
  expect(await temporary()).toEqual([]);
  expect((await there()).sort()).toEqual(['back.db', origin, 'noise.db'].sort());
});

test.each([
  ['SIGTERM', 'ssh'],
  ['SIGKILL', 'env'],
] as const)('F23 %s leaves neither a program nor a copy there, by %s', async (signal, way) => {
  const before = (await backupsOf(place)).length;
  const { child, ended } = place.start(['run', `slow-${way}`]);
  await vi.waitUntil(() => programsBehindPrefix('cat', place).length > 0, { timeout: 30_000, interval: 50 });
  child.kill(signal);
  expect((await ended).code).toBe(signal === 'SIGTERM' ? 143 : null);
  await isOver('cat');
  await vi.waitUntil(async () => (await temporary()).length === 0, { timeout: 30_000, interval: 50 });
  expect((await backupsOf(place)).length).toBe(before);
});

test('F24 F40 a restore that is cut off leaves the target old or new, and nothing beside it', async () => {
  expectCode(await place.run('run', 'noise'), 0);
  await rm(place.path('there', 'back.db'), { force: true });
  fillNasty(place.path('there', 'back.db'));
  const [old, fresh] = ['back.db', 'noise.db'].map((name) => fingerprintOf(place.path('there', name)));
  const names = await there();
  const { child, ended } = place.start(['restore', 'noise@latest', '--to', 'back-ssh', '--clean', '--yes']);
  await vi.waitUntil(() => programsBehindPrefix('cat', place).length > 0, { timeout: 30_000, interval: 5 });
  child.kill('SIGKILL');
  await ended;
  await isOver('cat');
  await vi.waitUntil(async () => (await there()).length === names.length, { timeout: 30_000, interval: 50 });
  expect([old, fresh]).toContainEqual(fingerprintOf(place.path('there', 'back.db')));
});

test('what cannot be is said with the way, and check says it beforehand', async () => {
  await writeFile(place.path('there', 'none.db'), 'no database\n'.repeat(20));
  expect(expectCode(await place.run('run', 'none'), 3).stderr).toMatch(
    /none\.db by env -i .* is not a SQLite database/,
  );
  const refused = expectCode(await place.run('restore', 'copy-ssh@latest', '--to', 'none-env', '--clean', '--yes'), 3);
  expect(refused.stderr).toMatch(/exists and is not a SQLite database/);
  await rm(place.path('there', 'none.db'));
  const held = await open(place.path('there', 'back.db'));
  const busy = expectCode(await place.run('restore', 'copy-ssh@latest', '--to', 'back-env', '--clean', '--yes'), 3);
  expect(busy.stderr).toMatch(/in use: process .* has it open/);
  await held.close();
  expect(expectCode(await place.run('check', '--source', 'none-env'), 3).stdout).toContain('does not exist there');
  expect(expectCode(await place.run('check', '--source', 'shop-env'), 0).stdout).toMatch(
    /read by SQLite 3\.\d+.* there/,
  );
});
