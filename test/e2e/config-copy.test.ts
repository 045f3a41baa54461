/** `keepConfig`: the configuration beside the backups, and back on a machine that has nothing but a folder and a key. */
import { copyFile, readdir, readFile, stat } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runInProcess } from '../fault/faulty-app.ts';
import { fillNasty } from '../servers/sqlite-nasty.ts';
import { backupsOf, filesIn, sha256 } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Run, type Workplace } from './cli.ts';

let place: Workplace;
beforeEach(async () => {
  place = await makeWorkplace();
  fillNasty(place.path('shop.sqlite'));
});
afterEach(() => place.remove());

const base = `keepConfig: true
sources:
  shop: { type: sqlite, path: ./shop.sqlite }
  other: { type: postgres, host: db.internal, user: backup, password: canary-of-a-password, database: other }
  third: { type: postgres, url: "${'$'}{THIRD_URL}" }
destinations: { disk: { type: local, path: ./backups } }
`;
const job = 'jobs: { shop: { source: shop, destinations: disk, retention: { last: 1 } } }\n';

/** In this process: what matters here are the files. */
const dbbackup = (...args: string[]) => runInProcess(place, {}, ...args);

async function kept(): Promise<string[]> {
  const folder = place.path('backups', 'dbbackup-config');
  return (await readdir(folder).catch(() => [])).sort().map((name) => `${folder}/${name}`);
}

function recovered(run: Run) {
  return events<{ host: string; hidden: string[]; config: string; path?: string }>(run)[0];
}

describe('keepConfig', () => {
  test('keeps it once for each change, without its secrets, and out of the way of everything else', async () => {
    await place.configure(base + job);
    expectCode(await dbbackup('run', 'shop'), 0);
    const [first = '', ...more] = await kept();
    expect(more).toEqual([]);
    expect((await stat(first)).mode & 0o777).toBe(0o600);
    const text = await readFile(first, 'utf8');
    expect(text).not.toContain('canary');
    expect(text).toContain('password: "***"');
    expect(text).toContain(`url: ${'$'}{THIRD_URL}`);
    expectCode(await dbbackup('run', 'shop'), 0);
    expect(await kept()).toEqual([first]);
    await place.configure(`${base}${job}maxConcurrentJobs: 2\n`);
    expectCode(await dbbackup('run', 'shop'), 0);
    await place.configure(base + job);
    expectCode(await dbbackup('run', 'shop'), 0);
    expect(await kept()).toHaveLength(3);

    expect(await backupsOf(place)).toHaveLength(1);
    expect(expectCode(await dbbackup('cleanup', '--orphans', '--older-than', '0m', '--yes'), 0).stdout).toMatch(
      /nothing to clean up/,
    );
    expectCode(await dbbackup('prune', 'shop', '--yes'), 0);
    expect(await kept()).toHaveLength(3);
    const list = expectCode(await dbbackup('config', 'recover', 'disk', '--list', '--json'), 0);
    expect(events<{ kept: { keptAt: string }[] }>(list)[0]?.kept).toHaveLength(3);
    const newest = recovered(expectCode(await dbbackup('config', 'recover', 'disk', '--json'), 0));
    expect(newest).toMatchObject({ hidden: ['sources.other.password'], config: expect.not.stringContaining('max') });
  });

  test('nothing is kept unless it is asked for', async () => {
    await place.configure(base.replace('keepConfig: true\n', '') + job);
    expectCode(await dbbackup('run', 'shop'), 0);
    expect(await kept()).toEqual([]);
    expect(expectCode(await dbbackup('config', 'recover', 'disk'), 2).stderr).toMatch(/keepConfig: true/);
  });

  test('of an encrypted job it is encrypted; a folder, a key and this are enough to restore on another machine', async () => {
    const { stdout } = expectCode(await place.run('keygen', 'own.agekey'), 0);
    const recipient = /age1\w+/.exec(stdout)?.[0];
    const encryption = `encryption: { main: { type: age, recipients: [${recipient}], identityFile: ./own.agekey } }\n`;
    const encrypted = job.replace('disk,', 'disk, encryption: main,');
    await place.configure(base + encryption + encrypted);
    expectCode(await place.run('run', 'shop'), 0);
    const [file = ''] = await kept();
    expect(file).toMatch(/\.yaml\.age$/);
    expect((await readFile(file)).includes('db.internal')).toBe(false);

    const elsewhere = await makeWorkplace();
    try {
      const folder = place.path('backups');
      expect(expectCode(await elsewhere.run('config', 'recover', folder), 5).stderr).toMatch(/key|identity/);
      const args = ['config', 'recover', folder, '-o', 'dbbackup.yaml', '--identity', place.path('own.agekey')];
      const run = expectCode(await elsewhere.run(...args), 0);
      expect(run.stderr).toMatch(/\*\*\* stands for a secret at sources\.other\.password/);
      expect(run.stderr).toMatch(/Read it before you use it/);
      expect((await stat(elsewhere.path('dbbackup.yaml'))).mode & 0o777).toBe(0o600);
      expect(expectCode(await elsewhere.run(...args), 4).stderr).toMatch(/exists already/);
      const config = await readFile(elsewhere.path('dbbackup.yaml'), 'utf8');
      await elsewhere.configure(config.replace('./backups', folder));
      await copyFile(place.path('own.agekey'), elsewhere.path('own.agekey'));
      expectCode(await elsewhere.run('restore', 'shop@latest', '--to', './shop.sqlite'), 0);
      const dump = async ({ env, folder: cwd }: Workplace) => {
        const { execFileSync } = await import('node:child_process');
        return sha256(execFileSync('sqlite3', ['shop.sqlite', '.dump'], { cwd, env, maxBuffer: 2 ** 26 }));
      };
      expect(await dump(elsewhere)).toBe(await dump(place));
    } finally {
      await elsewhere.remove();
    }
  });

  test('several machines keep theirs side by side, and one has to be named', async () => {
    await place.configure(base + job);
    expectCode(await dbbackup('run', 'shop'), 0);
    const [mine = ''] = await kept();
    await copyFile(mine, mine.replace(/[^/]+(?=_\d{4}-)/, 'db1.example.org'));
    const without = expectCode(await dbbackup('config', 'recover', 'disk'), 2);
    expect(without.stderr).toMatch(/of 2 machines.*db1\.example\.org(.|\n)*--host/);
    expectCode(await dbbackup('config', 'recover', 'disk', '--host', 'db1.example.org'), 0);
    expect(expectCode(await dbbackup('config', 'recover', 'disk', '--host', 'db1.exmaple.org'), 2).stderr).toMatch(
      /Did you mean "db1\.example\.org"/,
    );
    expect(expectCode(await dbbackup('config', 'recover', 'dsik'), 2).stderr).toMatch(/Did you mean "disk"/);
  });

  test('one that cannot be stored is told with exit code 8, and the backup is there', async () => {
    await place.configure(base.replace('type: local', 'type: faulty') + job);
    const breakage = {
      wrap: <D extends object>(inner: D): D =>
        new Proxy(inner, {
          get: (target, name) => {
            const value: unknown = Reflect.get(target, name, target);
            if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value;
            return (key: string, ...more: unknown[]) => {
              if (key.startsWith('dbbackup-config/')) return Promise.reject(new Error('the store is full'));
              return (value as (...given: unknown[]) => unknown).call(target, key, ...more);
            };
          },
        }),
    };
    const run = expectCode(await runInProcess(place, breakage, 'run', 'shop'), 8);
    expect(run.stderr).toMatch(/disk: the configuration could not be kept there: the store is full/);
    expect(Object.keys(await filesIn(place.path('backups')))).toHaveLength(2);
    expect(run.stdout).toMatch(/✓ shop/);
  });
});
