/** On a real terminal (a pty from util-linux `script`): bars while it works, nothing of them left, Ctrl-C. */
import { mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fakeProgram } from '../scripted-dump/fake-program.ts';
import { fillNoise } from '../servers/sqlite-nasty.ts';
import { filesIn, historyOf, processesOf } from './aftermath.ts';
import { makeWorkplace, type Workplace } from './cli.ts';
import { onTerminal as openTerminal } from './pty.ts';

const config = `
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups } }
jobs:
  copied: { source: shop, destinations: disk }
  told: { source: shop, destinations: disk, format: sql }
`;

describe('on a terminal', () => {
  let place: Workplace;
  let slow: NodeJS.ProcessEnv;
  beforeAll(async () => {
    place = await makeWorkplace();
    await place.configure(config);
    fillNoise(place.path('shop.sqlite'), 4);
    await mkdir(place.path('bin'));
    const PATH = await fakeProgram(place.path('bin'), 'sqlite3');
    slow = { PATH, DUMP_VERSION: '3.46.0', DUMP_TRAILER: '\nCOMMIT;\n', DUMP_BYTES: '4000000', DUMP_SLOW_MS: '25' };
  });
  afterAll(() => place.remove());

  const onTerminal = (command: string, env?: NodeJS.ProcessEnv) => openTerminal(place, command, env);

  test('a bar moves, is taken away, and the summary stays', async () => {
    const { ended, shown } = onTerminal('run told', slow);
    expect(await ended).toBe(0);
    expect(shown()).toMatch(/told +[█░]{20}.*dump/);
    expect(shown()).toMatch(/\d+(\.\d+)? [kM]B/);
    expect(shown()).toContain('\u001b[?25l');
    // The cursor is shown again, and after the last bar comes nothing but the summary.
    expect(shown().lastIndexOf('\u001b[?25h')).toBeGreaterThan(shown().lastIndexOf('\u001b[?25l'));
    expect(shown().lastIndexOf('✓')).toBeGreaterThan(shown().lastIndexOf('█'));
    expect(shown()).not.toContain('100%');
  });

  test('an estimate is marked, and a known total is not', async () => {
    const estimated = onTerminal('run told', slow);
    expect(await estimated.ended).toBe(0);
    expect(estimated.shown()).toMatch(/~ *\d+%/);
  });

  test('Ctrl-C ends it in good order: 130, no child, no file, a usable terminal', async () => {
    const before = await filesIn(place.path('backups'));
    const { ended, shown, type } = onTerminal('run told', { ...slow, DUMP_BYTES: '100000000' });
    await vi.waitFor(() => expect(shown()).toMatch(/kB|MB/), { timeout: 30_000, interval: 20 });
    type('\u0003');
    expect(await ended).toBe(130);
    expect(processesOf(place)).toEqual([]);
    expect(shown()).toMatch(/interrupted/);
    expect(shown().lastIndexOf('\u001b[?25h')).toBeGreaterThan(shown().lastIndexOf('\u001b[?25l'));
    expect(await filesIn(place.path('backups'))).toEqual(before);
    expect((await historyOf(place))[0]).toMatchObject({ status: 'cancelled' });
  });

  test('a deletion asks; no is no, and Ctrl-C is 130', async () => {
    expect(await onTerminal('run copied').ended).toBe(0);
    const before = await filesIn(place.path('backups'));
    for (const [answer, code] of [
      ['n\r', 2],
      ['\u0003', 130],
    ] as const) {
      const { ended, shown, type } = onTerminal('delete copied@latest');
      await vi.waitFor(() => expect(shown()).toMatch(/Delete .*\?/), { timeout: 30_000, interval: 20 });
      type(answer);
      expect(await ended).toBe(code);
      expect(await filesIn(place.path('backups'))).toEqual(before);
    }
    const { ended, shown, type } = onTerminal('delete copied@latest');
    await vi.waitFor(() => expect(shown()).toMatch(/Delete .*\?/), { timeout: 30_000, interval: 20 });
    type('y\r');
    expect(await ended).toBe(0);
    expect(await filesIn(place.path('backups'))).not.toEqual(before);
  });

  test('NO_COLOR and TERM=dumb are honoured', async () => {
    const plain = onTerminal('run copied', { NO_COLOR: '1', TERM: 'dumb' });
    expect(await plain.ended).toBe(0);
    expect(plain.shown()).not.toContain('\u001b');
  });
});
