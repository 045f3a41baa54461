/** The way of most users: a SQLite database through the built program to a local folder, and back. */
import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillNasty, fingerprintOf } from '../servers/sqlite-nasty.ts';
import { backupsOf, filesIn, historyOf, type ListedBackup, sha256 } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

const codecs = ['none', 'gzip', 'brotli', 'zstd', 'bzip2'] as const;
const formats = ['sqlite', 'sql'] as const;

const config = `
sources:
  shop: { type: sqlite, path: ./shop.sqlite }
destinations:
  disk: { type: local, path: ./backups }
  usb: { type: local, path: ./usb }
jobs:
  shop: { description: the shop, source: shop, destinations: disk }
  both: { source: shop, destinations: [disk, usb], format: sql }
  off: { source: shop, destinations: disk, enabled: false }
${formats.flatMap((format) => codecs.map((codec) => `  ${format}-${codec}: { source: shop, destinations: disk, format: ${format}, compression: ${codec} }`)).join('\n')}
`;

describe('the main job', () => {
  let place: Workplace;
  let original: unknown;
  let backup: ListedBackup;
  let count = 0;
  const target = () => place.path(`restored-${count++}.sqlite`);
  const stored = () => place.path('backups', backup.key);

  async function expectRestored(run: ReturnType<Workplace['run']>, to: string): Promise<void> {
    expectCode(await run, 0);
    expect(fingerprintOf(to)).toEqual(original);
    await rm(to);
  }

  beforeAll(async () => {
    place = await makeWorkplace();
    await place.configure(config);
    fillNasty(place.path('shop.sqlite'));
    original = fingerprintOf(place.path('shop.sqlite'));
    expectCode(await place.run('run', 'shop', '--note', 'before the migration'), 0);
    [backup] = (await backupsOf(place)) as [ListedBackup];
  });
  afterAll(() => place.remove());

  test('stores the data, its sidecar, and nothing else', async () => {
    expect(Object.keys(await filesIn(place.path('backups'))).sort()).toEqual([backup.key, `${backup.key}.meta.json`]);
    const sidecar = JSON.parse(await readFile(`${stored()}.meta.json`, 'utf8'));
    const content = await readFile(stored());
    expect(sidecar).toMatchObject({
      job: { name: 'shop' },
      note: 'before the migration',
      artifact: { name: basename(backup.key), storedBytes: content.length, storedSha256: sha256(content) },
      compression: { type: 'zstd', level: 3 },
    });
    expect((await stat(stored())).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['job@latest', () => 'shop@latest'],
    ['job@time', () => `shop@${/\d{4}-\d\d-\d\dT\d\d/.exec(backup.key)?.[0]}`],
    ['six digits of its id', () => backup.sidecar?.id.slice(0, 6) ?? ''],
    ['its whole id', () => backup.sidecar?.id ?? ''],
    ['destination:key', () => `disk:${backup.key}`],
    ['a path', () => `./backups/${backup.key}`],
  ])('is found by %s', async (_, reference) => {
    const [shown] = events<ListedBackup>(expectCode(await place.run('show', reference(), '--json'), 0));
    expect(shown?.sidecar?.id).toBe(backup.sidecar?.id);
  });

  test('restores into a new file with the same content', async () => {
    const to = target();
    await expectRestored(place.run('restore', 'shop@latest', '--to', to), to);
  });

  test('restores without any config, with and without its sidecar', async () => {
    const bare = await makeWorkplace();
    try {
      for (const name of [basename(backup.key), `${basename(backup.key)}.meta.json`]) {
        await copyFile(place.path('backups', backup.key, '..', name), bare.path(name));
      }
      await expectRestored(bare.run('restore', basename(backup.key), '--to', 'with.sqlite'), bare.path('with.sqlite'));
      await rm(bare.path(`${basename(backup.key)}.meta.json`));
      const run = bare.run('restore', basename(backup.key), '--to', 'without.sqlite');
      expect((await run).stderr).toMatch(/no sidecar/);
      await expectRestored(run, bare.path('without.sqlite'));
    } finally {
      await bare.remove();
    }
  });

  test('refuses a target that holds data, replaces it with --clean and consent', async () => {
    const to = target();
    fillNasty(to, 'wal');
    const before = await readFile(to);
    expect(expectCode(await place.run('restore', 'shop@latest', '--to', to), 3).stderr).toMatch(/--clean/);
    expect(expectCode(await place.run('restore', 'shop@latest', '--to', to, '--clean'), 2).stderr).toMatch(/--yes/);
    expect(await readFile(to)).toEqual(before);
    await expectRestored(place.run('restore', 'shop@latest', '--to', to, '--clean', '--yes'), to);
  });

  test('a dry restore says what would happen, and does nothing', async () => {
    const to = target();
    expect(expectCode(await place.run('restore', 'shop@latest', '--to', to, '--dry-run'), 0).stdout).toMatch(
      /can be restored into .*; nothing was changed/,
    );
    expect(fingerprintOf(to)).toBeUndefined();
  });

  test('restore --output gives the dump as a file, never over another, or on stdout and nothing else', async () => {
    expectCode(await place.run('restore', 'shop@latest', '--output', 'plain.sqlite'), 0);
    expect(fingerprintOf(place.path('plain.sqlite'))).toEqual(original);
    expect(expectCode(await place.run('restore', 'shop@latest', '--output', 'plain.sqlite'), 4).stderr).toMatch(
      /exists already/,
    );
    const { child, ended } = place.start(['restore', 'shop@latest', '--output', '-']);
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    expectCode(await ended, 0);
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(await readFile(place.path('plain.sqlite'))));
  });

  test('download fetches the very bytes that are stored', async () => {
    expectCode(await place.run('download', 'shop@latest', '-o', 'fetched'), 0);
    expect(await readFile(place.path('fetched'))).toEqual(await readFile(stored()));
    expectCode(await place.run('download', 'shop@latest', '--decompress', '-o', 'fetched.sqlite'), 0);
    expect(fingerprintOf(place.path('fetched.sqlite'))).toEqual(original);
  });

  test('verify reads it whole, and show and list remember', async () => {
    expectCode(await place.run('verify', 'shop@latest'), 0);
    expect(expectCode(await place.run('show', 'shop@latest'), 0).stdout).toMatch(/verify\s+passed/);
    expect(expectCode(await place.run('list', '--job', 'shop'), 0).stdout).toMatch(/verify passed/);
    expect(expectCode(await place.run('show', 'shop@latest'), 0).stdout).toContain('sha256sum -c');
  });

  test('every format with every codec is verified and restored to the same content', { timeout: 180_000 }, async () => {
    const jobs = formats.flatMap((format) => codecs.map((codec) => `${format}-${codec}`));
    expectCode(await place.run('run', ...jobs), 0);
    expectCode(await place.run('verify', '--all'), 0);
    for (const job of jobs) {
      const to = target();
      await expectRestored(place.run('restore', `${job}@latest`, '--to', to), to);
    }
  });

  test('two destinations hold the same bytes; one of them can be left out', async () => {
    expectCode(await place.run('run', 'both'), 0);
    const both = (await backupsOf(place)).filter(({ key }) => key.startsWith('both/'));
    expect(both.map(({ destination }) => destination).sort()).toEqual(['disk', 'usb']);
    expect(await filesIn(place.path('usb', 'both'))).toEqual(await filesIn(place.path('backups', 'both')));
    expectCode(await place.run('run', 'both', '--destination', 'usb'), 0);
    expect(Object.keys(await filesIn(place.path('usb', 'both')))).toHaveLength(4);
    expect(Object.keys(await filesIn(place.path('backups', 'both')))).toHaveLength(2);
  });

  test('a dry run checks and writes nothing', async () => {
    const before = await filesIn(place.path('backups'));
    expect(expectCode(await place.run('run', 'shop', '--dry-run'), 0).stdout).toMatch(/ready/);
    expect(await filesIn(place.path('backups'))).toEqual(before);
  });

  test('history, logs, jobs and status tell what happened', async () => {
    const [newest] = await historyOf(place, 'both');
    expect(newest).toMatchObject({ kind: 'backup', job: 'both', status: 'completed' });
    expect(expectCode(await place.run('logs', newest?.id.slice(0, 8) ?? ''), 0).stdout).toMatch(/completed/);
    expect(expectCode(await place.run('jobs'), 0).stdout).toMatch(/both .*completed .*2\/2/);
    expect(expectCode(await place.run('status'), 0).stdout).toBe('nothing runs\n');
  });

  test('delete asks; with --yes it removes data, sidecar and state of this one alone', async () => {
    expectCode(await place.run('run', 'sql-none'), 0);
    const before = await filesIn(place.path('backups'));
    const newest = (await backupsOf(place)).find(({ key }) => key.startsWith('sql-none/'))?.key ?? '';
    expect(expectCode(await place.run('delete', `disk:${newest}`), 2).stderr).toMatch(/--yes/);
    expect(await filesIn(place.path('backups'))).toEqual(before);
    expectCode(await place.run('verify', `disk:${newest}`), 0);
    expectCode(await place.run('delete', `disk:${newest}`, '--yes'), 0);
    const left = Object.entries(before).filter(([file]) => !file.startsWith(newest));
    expect(await filesIn(place.path('backups'))).toEqual(Object.fromEntries(left));
  });

  test('cleanup removes old temporaries; an orphan only when told so twice', async () => {
    const old = Date.now() - 48 * 3_600_000;
    const unfinished = `.dbbackup-1-${old}-0123456789abcdef-0123456789ab.part`;
    const young = unfinished.replace(String(old), String(Date.now()));
    const orphan = 'shop_2025-01-01T00-00-00-000Z_abcdef.sqlite';
    for (const name of [unfinished, young, orphan]) await writeFile(place.path('backups', 'shop', name), 'x');
    const present = async () => Object.keys(await filesIn(place.path('backups', 'shop')));

    expect(expectCode(await place.run('cleanup', '--dry-run'), 0).stdout).toContain(`would remove temporary`);
    expect(await present()).toContain(unfinished);
    expect(expectCode(await place.run('cleanup'), 0).stdout).toContain('1 younger than 24h left alone (--older-than)');
    expect(expectCode(await place.run('cleanup'), 0).stdout).toContain('nothing removed; 1 younger than 24h');
    expect(await present()).not.toContain(unfinished);
    expect(await present()).toEqual(expect.arrayContaining([young, orphan]));

    expect(expectCode(await place.run('list'), 0).stdout).toMatch(/1 not complete/);
    expectCode(await place.run('cleanup', '--orphans'), 2);
    expect(await present()).toContain(orphan);
    expectCode(await place.run('cleanup', '--orphans', '--yes'), 0);
    expect(await present()).not.toContain(orphan);
    expectCode(await place.run('cleanup', '--older-than', '0m'), 0);
    expect(await present()).not.toContain(young);
    expectCode(await place.run('verify', 'shop@latest'), 0);
  });

  test('run --all runs the enabled jobs, and one that fails does not keep the others from running', async () => {
    const other = await makeWorkplace();
    try {
      await other.configure(
        `sources: { a: { type: sqlite, path: a.sqlite }, b: { type: sqlite, path: missing.sqlite } }
destinations: { disk: { type: local, path: backups } }
jobs: { b: { source: b, destinations: disk }, a: { source: a, destinations: disk }, off: { source: a, destinations: disk, enabled: false } }`,
      );
      fillNasty(other.path('a.sqlite'));
      const run = expectCode(await other.run('run', '--all', '--json'), 7);
      expect(events(run, 'result').map((event) => event['job'])).toEqual(['a']);
      expect((await backupsOf(other)).map(({ key }) => key.split('/')[0])).toEqual(['a']);
    } finally {
      await other.remove();
    }
  });
});
