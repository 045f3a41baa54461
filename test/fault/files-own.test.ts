/** A folder that holds what is dbbackup's own: its backups, its state, the keys of its config. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, makeWorkplace, type Workplace } from '../e2e/cli.ts';
import { runInProcess } from './faulty-app.ts';

describe('a folder with things of dbbackup itself', () => {
  let place: Workplace;
  const run = (...argv: string[]) => runInProcess(place, {}, ...argv);
  beforeEach(async () => {
    place = await makeWorkplace();
    mkdirSync(place.path('docs'));
    writeFileSync(place.path('docs/letter'), 'dear reader');
    writeFileSync(place.path('docs/secret'), 'a password\n', { mode: 0o600 });
  });
  afterEach(() => place.remove());

  async function configure(source: string, more: { disk?: string; job?: string; rest?: string } = {}) {
    await place.configure(`
sources:
  me: { type: files, path: "${source}" }
  shop: { type: postgres, host: 127.0.0.1, database: shop, password: "\${file:docs/secret}" }
destinations:
  disk: { type: local, path: "${more.disk ?? 'docs/backups'}" }
  other: { type: local, path: docs/others }
jobs:
  me: { source: me, destinations: disk, compression: none${more.job ?? ''} }
${more.rest ?? ''}`);
  }

  function namesInBackups(folder: string): string[][] {
    const tars = readdirSync(place.path(folder, 'me')).filter((name) => name.endsWith('.tar'));
    return tars.map((name) =>
      execFileSync('tar', ['-tf', place.path(folder, 'me', name)], { encoding: 'utf8' })
        .trim()
        .split('\n')
        .sort(),
    );
  }

  it('leaves out where backups are stored, the first time and the second, and says so', async () => {
    await configure('docs');
    mkdirSync(place.path('docs/others'));
    writeFileSync(place.path('docs/others/backup'), 'of another job');
    expectCode(await run('run', 'me'), 0);
    const second = expectCode(await run('run', 'me'), 0);
    expect(second.stderr).toContain('backups is a folder of dbbackup itself');
    const names = namesInBackups('docs/backups');
    expect(names).toEqual([
      ['./', 'letter', 'secret'],
      ['./', 'letter', 'secret'],
    ]);
  });

  it('leaves out the state folder, reached by a link as well', async () => {
    symlinkSync(place.path('docs'), place.path('link'));
    await configure('docs', { disk: 'link/backups' });
    place.env['DBBACKUP_STATE_DIR'] = place.path('docs/state');
    expectCode(await run('run', 'me'), 0);
    expectCode(await run('run', 'me'), 0);
    for (const names of namesInBackups('docs/backups')) expect(names).toEqual(['./', 'letter', 'secret']);
  });

  it('is refused when it is itself where the backups go', async () => {
    await configure('docs', { disk: 'docs' });
    const refused = expectCode(await run('run', 'me'), 3);
    expect(refused.stderr).toContain('dbbackup writes to this folder itself');
    expect(readdirSync(place.path('docs')).sort()).toEqual(['letter', 'secret']);
    expect(expectCode(await run('check', 'me'), 3).stdout).toContain('dbbackup writes to this folder itself');
  });

  it('is backed up when it holds the backups of other jobs and goes elsewhere', async () => {
    await configure('docs/others', { disk: 'backups' });
    mkdirSync(place.path('docs/others'));
    writeFileSync(place.path('docs/others/backup'), 'of another job');
    expectCode(await run('run', 'me'), 0);
    expect(namesInBackups('backups')).toEqual([['./', 'backup']]);
  });

  it('warns of a secret of the config that is stored unencrypted, and only then', async () => {
    await configure('docs');
    const line = 'secret holds a key or secret of the config';
    expect((await run('run', 'me')).stderr).toContain(line);
    const checked = await run('check', 'me');
    expect(checked.stdout).toContain('would be stored unencrypted: secret');
    await configure('docs', {
      job: ', encryption: locked',
      rest: 'encryption: { locked: { type: age, passphrase: correct horse battery } }',
    });
    expect((await run('run', 'me')).stderr).not.toContain(line);
  });

  it('is not replaced by a restore, which would take the backups with it', async () => {
    await configure('docs');
    expectCode(await run('run', 'me'), 0);
    const refused = expectCode(await run('restore', 'me@latest', '--clean', '--yes'), 3);
    expect(refused.stderr).toContain('dbbackup keeps its own things in');
    expect(readdirSync(place.path('docs/backups/me'))).toHaveLength(2);
    expectCode(await run('restore', 'me@latest', '--to', './back'), 0);
    expect(readdirSync(place.path('back')).sort()).toEqual(['letter', 'secret']);
  });
});
