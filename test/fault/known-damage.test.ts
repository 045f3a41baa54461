/** A backup that is known to be damaged counts nowhere as a good one. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, makeWorkplace, type Workplace } from '../e2e/cli.ts';
import { runInProcess } from './faulty-app.ts';

describe('the newest backup failed its verification', () => {
  let place: Workplace;
  let keys: string[];
  const run = (...argv: string[]) => runInProcess(place, {}, ...argv);

  beforeAll(async () => {
    place = await makeWorkplace();
    await place.configure(`
sources: { text: { type: command, dump: [echo, some text], extension: .txt, label: text } }
destinations:
  disk: { type: local, path: disk }
  away: { type: local, path: away }
jobs:
  text: { source: text, destinations: [disk, away], compression: none }
  alone: { source: text, destinations: disk, compression: none }
`);
    expectCode(await run('run', 'text'), 0);
    expectCode(await run('run', 'text'), 0);
    keys = readdirSync(place.path('disk/text')).filter((name) => name.endsWith('.txt'));
    damage('disk', keys[1]);
    expectCode(await run('verify', `disk:text/${keys[1]}`), 5);
  });
  afterAll(() => place.remove());

  function damage(disk: string, key = '') {
    const file = place.path(disk, 'text', key);
    writeFileSync(file, readFileSync(file, 'utf8').replace('some', 'SOME'));
  }

  it('and is not fresh', async () => {
    const { stdout } = await run('status', '--max-age', '1h', 'text', '--json');
    const { backups } = JSON.parse(stdout) as { backups: { destination: string; newest: string }[] };
    const [disk, away] = backups.map(({ newest }) => newest);
    expect(Date.parse(disk ?? '')).toBeLessThan(Date.parse(away ?? ''));
  });

  it('and is not listed as good', async () => {
    const { stdout } = expectCode(await run('list', 'disk', '--state', 'good', '--json'), 0);
    expect((JSON.parse(stdout) as { total: number }).total).toBe(1);
  });

  it('and is latest only where it is whole', async () => {
    const elsewhere = expectCode(await run('verify', 'text@latest'), 0);
    expect(elsewhere.stdout).toContain(`away:text/${keys[1]}`);
    expect(elsewhere.stderr).toContain('failed its last verification');
    damage('away', keys[1]);
    expectCode(await run('verify', `away:text/${keys[1]}`), 5);
    const older = expectCode(await run('verify', 'text@latest'), 0);
    expect(older.stdout).toContain(`disk:text/${keys[0]}`);
  });

  it('and nothing is latest where no other one is left', async () => {
    expectCode(await run('run', 'alone'), 0);
    const [key = ''] = readdirSync(place.path('disk/alone')).filter((name) => name.endsWith('.txt'));
    writeFileSync(place.path('disk/alone', key), 'SOME TEXT\n');
    expectCode(await run('verify', `disk:alone/${key}`), 5);
    const none = expectCode(await run('restore', 'alone@latest', '--to', './x'), 2);
    expect(none.stderr).toContain('failed its last verification');
    const stale = expectCode(await run('status', '--max-age', '1h', 'alone'), 8);
    expect(stale.stdout).toContain(
      'there is no good backup (newer, not counted: 1 backup that failed the last verification)',
    );
  });
});
