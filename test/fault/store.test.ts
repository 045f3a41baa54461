/** Stores that fail, lie, stall or change their mind, under the whole command line. */
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Destination } from '../../src/destination/destination.ts';
import { backupsOf, filesIn, historyOf } from '../e2e/aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from '../e2e/cli.ts';
import { fillNoise, fingerprintOf } from '../servers/sqlite-nasty.ts';
import { type Breakage, runInProcess } from './faulty-app.ts';

const megabyte = 1024 * 1024;
const config = (type: string) => `
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { store: { type: ${type}, path: backups }, other: { type: local, path: other } }
jobs:
  shop: { source: shop, destinations: store, compression: none }
  both: { source: shop, destinations: [store, other], compression: none }
`;

let place: Workplace;
let before: Record<string, string>;

/** The program of this process sees a faulty store; the built one, asked afterwards, an ordinary folder. */
async function runFaulty(faults: Breakage, ...argv: string[]) {
  await place.configure(config('faulty'));
  try {
    return await runInProcess(place, faults, ...argv);
  } finally {
    await place.configure(config('local'));
  }
}

beforeAll(async () => {
  place = await makeWorkplace();
  await place.configure(config('local'));
  fillNoise(place.path('shop.sqlite'), 4);
  expectCode(await place.run('run', 'shop'), 0);
});
beforeEach(async () => {
  before = await filesIn(place.path('backups'));
});
afterAll(() => place.remove());

const isData = (key: string) => !key.endsWith('.json');
const isSidecar = (key: string) => key.endsWith('.meta.json');

describe('a store that fails', () => {
  test.each<[string, Breakage, RegExp]>([
    [
      'after some bytes',
      { failAfterBytes: megabyte, only: isData },
      /upload of .* to store failed[\s\S]*planted fault/,
    ],
    [
      'when the sidecar is written',
      { failing: new Set(['put']), only: isSidecar },
      /not published[\s\S]*planted fault/,
    ],
    ['when it is asked what it holds', { failing: new Set(['stat']), only: isData }, /planted fault/],
    ['F18 and holds less than was sent', { corrupt: (chunk) => chunk.subarray(1), only: isData }, /holds other bytes/],
  ])('%s: exit 4, and nothing is published', async (_, faults, message) => {
    const run = expectCode(await runFaulty(faults, 'run', 'shop'), 4);
    expect(run.stderr).toMatch(message);
    expect(await filesIn(place.path('backups'))).toEqual(before);
    expect((await historyOf(place))[0]).toMatchObject({ status: 'failed' });
    expect(await filesIn(place.path('state', 'tmp'))).toEqual({});
  });

  test('F21 while another does not: partial, exit 7, and the other copy is whole', async () => {
    const run = expectCode(await runFaulty({ failAfterBytes: megabyte }, 'run', 'both', '--json'), 7);
    const [result] = events<{ destinations: { name: string; status: string; error?: string }[] }>(run, 'result');
    expect(result?.destinations).toEqual([
      expect.objectContaining({ name: 'store', status: 'failed', error: expect.stringContaining('planted fault') }),
      expect.objectContaining({ name: 'other', status: 'completed' }),
    ]);
    expect(await filesIn(place.path('backups'))).toEqual(before);
    expectCode(await place.run('verify', 'both@latest', '--quiet'), 0);
  });

  test('when it is listed: said, exit 4, and no backup is taken for gone', async () => {
    const faults: Breakage = { failing: new Set(['list']) };
    expect(expectCode(await runFaulty(faults, 'list', 'store'), 4).stderr).toMatch(/planted fault/);
    expect(expectCode(await runFaulty(faults, 'verify', '--job', 'shop'), 4).stderr).toMatch(/planted fault/);
  });
});

test('F18 the same number of other bytes: no size tells, so verify and restore do (exit 5)', async () => {
  const flipped = (chunk: Buffer) => Buffer.from(chunk).fill(0x20, 50, 51);
  const run = expectCode(await runFaulty({ corrupt: flipped, only: isData }, 'run', 'shop', '--json'), 0);
  const key = String(events(run, 'result')[0]?.['key']);
  expectCode(await place.run('verify', `store:${key}`), 5);
  expectCode(await place.run('restore', `store:${key}`, '--to', 'lied.sqlite'), 5);
  expect(fingerprintOf(place.path('lied.sqlite'))).toBeUndefined();
  expectCode(await place.run('delete', `store:${key}`, '--yes'), 0);
});

test('F13 a slow store holds the dump back: what is read is never far ahead of what is stored', async () => {
  const run = expectCode(await runFaulty({ delayPerChunk: 40, only: isData }, 'run', 'shop', '--json'), 0);
  const steps = events<{ rawBytes: number; storedBytes: number }>(run, 'progress');
  expect(steps.length).toBeGreaterThan(3);
  for (const { rawBytes, storedBytes } of steps) expect(rawBytes - storedBytes).toBeLessThan(2 * megabyte);
});

test('F42 an object that is exchanged between any two readings is restored whole or not at all', async () => {
  const [backup] = (await backupsOf(place)).filter(({ key }) => key.startsWith('shop/'));
  const original = fingerprintOf(place.path('shop.sqlite'));
  let outcomes = '';
  for (let nth = 1; nth <= 3; nth++) {
    const to = `exchanged-${nth}.sqlite`;
    const faults: Breakage = { wrap: (destination) => exchanging(destination, nth) };
    const run = await runFaulty(faults, 'restore', `store:${backup?.key}`, '--to', to);
    expect([0, 5]).toContain(run.code);
    const restored = fingerprintOf(place.path(to));
    expect(restored).toEqual(run.code === 0 ? original : undefined);
    outcomes += run.code;
  }
  // The first reading is the one that is restored, so an exchange before it is noticed and one after it does no harm.
  expect(outcomes).toBe('500');
});

/** From its `nth` reading on, the data object is another of the same size. */
function exchanging(destination: Destination, nth: number): Destination {
  let readings = 0;
  return new Proxy(destination, {
    get(target, name) {
      if (name !== 'get') return Reflect.get(target, name, target).bind?.(target) ?? Reflect.get(target, name, target);
      return async (key: string, options?: Parameters<Destination['get']>[1]) => {
        const stream = await target.get(key, options);
        if (!isData(key) || ++readings < nth) return stream;
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        const content = Buffer.concat(chunks);
        content[content.length - 5000] = (content[content.length - 5000] ?? 0) ^ 1;
        return Readable.from([content], { objectMode: false });
      };
    },
  });
}
