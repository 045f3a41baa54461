/** The tarball of `npm pack`, installed elsewhere as users do, runs a job from any folder. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { fillNasty, fingerprintOf } from '../servers/sqlite-nasty.ts';

const exec = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const compiled = ['better-sqlite3', 'zstd-napi'];

/**
 * As `npm install -g` does. Compiling the native packages takes minutes and `npm ci` has just shown that it works, so
 * their compiled parts are taken from there; with DBBACKUP_SOAK=1 they are compiled.
 */
async function install(tarball: string, prefix: string): Promise<void> {
  const whole = process.env['DBBACKUP_SOAK'] === '1';
  const options = [
    '--global',
    '--prefix',
    prefix,
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    ...(whole ? [] : ['--ignore-scripts']),
  ];
  await exec('npm', ['install', ...options, tarball], { cwd: prefix, maxBuffer: 64 * 1024 * 1024 });
  if (whole) return;
  for (const name of compiled) {
    const to = join(prefix, 'lib/node_modules/dbbackup/node_modules', name, 'build');
    await cp(join(root, 'node_modules', name, 'build'), to, { recursive: true });
  }
}

test('the package runs a job from any folder', { timeout: 900_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dbbackup-package-'));
  try {
    // Without scripts: `prepack` would build into the tree that other tests run from.
    await exec('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
    const [tarball = ''] = await readdir(folder);
    const prefix = join(folder, 'prefix');
    await mkdir(prefix);
    await install(join(folder, tarball), prefix);

    const place = join(folder, 'some where', 'else');
    await mkdir(place, { recursive: true });
    const installed = join(prefix, 'lib/node_modules/dbbackup');
    const example = join(installed, 'config.example.yaml');
    const env = { PATH: process.env['PATH'], HOME: folder, DBBACKUP_STATE_DIR: join(folder, 'state') };
    const dbbackup = (...args: string[]) => exec(join(prefix, 'bin/dbbackup'), args, { cwd: place, env });

    expect((await dbbackup('config', 'validate', '--config', example)).stdout).toMatch(/✓/);
    fillNasty(join(place, 'shop.sqlite'));
    await writeFile(
      join(place, 'dbbackup.yaml'),
      'sources: { shop: { type: sqlite, path: shop.sqlite } }\n' +
        'destinations: { disk: { type: local, path: backups } }\n' +
        'jobs: { shop: { source: shop, destinations: disk } }\n',
    );
    await dbbackup('run', 'shop');
    await dbbackup('verify', 'shop@latest');
    await dbbackup('restore', 'shop@latest', '--to', 'copy.sqlite');
    expect(fingerprintOf(join(place, 'copy.sqlite'))).toEqual(fingerprintOf(join(place, 'shop.sqlite')));
    expect((await dbbackup('history')).stdout).toMatch(/completed/);

    const shipped = await readdir(installed, { recursive: true });
    const foreign = shipped.filter((name) => /^(src|test|\.git)|\.ts$/.test(name) && !name.startsWith('node_modules'));
    expect(foreign).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
