/** A folder from the command line and back: by us, and by the recipe with plain `tar`. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fingerprintOfTree, makeLargeTree, makeNastyTree } from '../servers/nasty-tree.ts';
import { backupsOf } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

describe('a folder', () => {
  let place: Workplace;
  let original: unknown;

  beforeAll(async () => {
    place = await makeWorkplace();
    makeNastyTree(place.path('uploads'));
    original = fingerprintOfTree(place.path('uploads'));
    await place.configure(`
sources:
  uploads: { type: files, path: uploads }
  large: { type: files, path: large, exclude: ["*.tmp"] }
destinations: { disk: { type: local, path: backups } }
jobs:
  uploads: { source: uploads, destinations: disk }
  large: { source: large, destinations: disk, compression: none }
`);
    expectCode(await place.run('run', 'uploads'), 0);
  });
  afterAll(() => place.remove());

  test('comes back, is verified, and tells what it holds', async () => {
    expectCode(await place.run('restore', 'uploads@latest', '--to', './back'), 0);
    expect(fingerprintOfTree(place.path('back'))).toEqual(original);
    expectCode(await place.run('verify', 'uploads@latest'), 0);
    expect(expectCode(await place.run('show', 'uploads@latest'), 0).stdout).toMatch(/hardlinks/);
  });

  test('replaces the folder it came from with --clean, and only with it', async () => {
    writeFileSync(place.path('uploads/new'), 'made since');
    expectCode(await place.run('restore', 'uploads@latest'), 3);
    expectCode(await place.run('restore', 'uploads@latest', '--clean', '--yes'), 0);
    expect(fingerprintOfTree(place.path('uploads'))).toEqual(original);
  });

  test('comes back by the recipe alone', async () => {
    const [backup] = await backupsOf(place);
    const file = place.path('backups', backup?.key ?? '');
    const { recover } = JSON.parse(readFileSync(`${file}.meta.json`, 'utf8')) as { recover: string[] };
    const lines = recover.filter((line) => !line.startsWith('apt-get'));
    mkdirSync(place.path('blank'));
    copyFileSync(file, place.path('blank', basename(file)));
    execFileSync('sh', ['-e', '-c', lines.join('\n')], { cwd: place.path('blank'), stdio: 'pipe' });
    expect(fingerprintOfTree(place.path('blank/restored'))).toEqual(original);
  });

  test('without a sidecar it is known by its extension', async () => {
    const [backup] = await backupsOf(place);
    const file = place.path('backups', backup?.key ?? '');
    mkdirSync(place.path('alone'));
    writeFileSync(place.path('alone', basename(file)), readFileSync(file));
    expectCode(await place.run('restore', `alone/${basename(file)}`, '--to', 'files:from-alone'), 0);
    expect(fingerprintOfTree(place.path('from-alone'))).toEqual(original);
  });

  test('knows beforehand how much will come', async () => {
    makeLargeTree(place.path('large'));
    const run = expectCode(await place.run('run', 'large', '--json'), 0);
    const progress = events<{ rawBytes: number; total?: { bytes: number; exact: boolean } }>(run, 'progress');
    const [backup] = (await backupsOf(place)).filter(({ key }) => key.startsWith('large/'));
    const { artifact } = JSON.parse(readFileSync(`${place.path('backups', backup?.key ?? '')}.meta.json`, 'utf8'));
    expect(progress.at(-1)?.total).toEqual({ bytes: artifact.rawBytes, exact: true });
  });

  test('F24 a restore that is killed at any moment leaves the old folder or the new one, and the next one clears up', async () => {
    const wanted = fingerprintOfTree(place.path('large'));
    writeFileSync(place.path('large/of today.tmp'), 'x');
    const old = fingerprintOfTree(place.path('large'));
    const own = (names: readonly string[]) => names.filter((name) => name.startsWith('.dbbackup-'));
    for (const afterMs of [150, 300, 450]) {
      const { child, ended } = place.start(['restore', 'large@latest', '--clean', '--yes', '--quiet']);
      const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
      await ended;
      clearTimeout(timer);
      const found = fingerprintOfTree(place.path('large'));
      expect([JSON.stringify(old), JSON.stringify(wanted)]).toContain(JSON.stringify(found));
    }
    expectCode(await place.run('restore', 'large@latest', '--clean', '--yes'), 0);
    expect(fingerprintOfTree(place.path('large'))).toEqual(wanted);
    expect(own(readdirSync(place.folder))).toEqual([]);
  });
});
