/** `check` at stores that break their promises. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Destination, StoredObject } from '../../src/destination/destination.ts';
import { events, makeWorkplace, type Workplace } from '../e2e/cli.ts';
import { type Breakage, runInProcess } from './faulty-app.ts';

let place: Workplace;
beforeEach(async () => {
  place = await makeWorkplace();
  await place.configure('destinations: { store: { type: faulty, path: ./store } }\n');
});
afterEach(() => place.remove());

async function wrong(breakage: Breakage): Promise<{ code: number | null; troubles: readonly string[] }> {
  const run = await runInProcess(place, breakage, 'check', '--json');
  const found = events<{ findings: { severity: string; what: string; wayOut?: string }[] }>(run)[0]?.findings ?? [];
  const troubles = found.filter(({ severity }) => severity === 'warn' || severity === 'fail');
  for (const { wayOut } of troubles) expect(wayOut).toMatch(/\w+/);
  return { code: run.code, troubles: troubles.map(({ severity, what }) => `${severity} ${what}`) };
}

/** The same destination with other methods. */
function changed(inner: Destination, methods: Partial<Destination>): Destination {
  return new Proxy(inner, {
    get: (target, name) => {
      const own = methods[name as keyof Destination];
      const value: unknown = own ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function later(object: StoredObject, ms: number): StoredObject {
  return { ...object, modifiedAt: new Date(object.modifiedAt.getTime() + ms) };
}

const inOneHour = 3_600_000;

describe('check at a broken store', () => {
  test.each<[string, Breakage, number, RegExp]>([
    ['that cannot be written', { failing: new Set(['put']) }, 4, /^fail /],
    ['that cannot be read', { failing: new Set(['get']) }, 4, /^fail /],
    ['that cannot be listed', { failing: new Set(['list']) }, 4, /^fail /],
    ['that cannot be deleted from', { failing: new Set(['delete']) }, 8, /^warn .*could not be deleted/],
    [
      'that stores other bytes',
      { corrupt: (chunk) => Buffer.from(chunk.map((byte) => byte ^ 1)) },
      4,
      /^fail gives back other bytes/,
    ],
    [
      'that lists nothing',
      { wrap: (inner) => changed(inner, { list: async function* () {} }) },
      4,
      /^fail does not list/,
    ],
    [
      'that overwrites',
      {
        wrap: (inner) =>
          changed(inner, {
            put: async (key, stream, options) => {
              await inner.delete(key);
              return inner.put(key, stream, options);
            },
          }),
      },
      4,
      /^fail an existing object was overwritten/,
    ],
    [
      'whose clock is ahead',
      { wrap: (inner) => changed(inner, { put: async (...given) => later(await inner.put(...given), inOneHour) }) },
      8,
      /^warn its clock is 1 h 00 min ahead of ours/,
    ],
    [
      'whose clock is behind',
      { wrap: (inner) => changed(inner, { put: async (...given) => later(await inner.put(...given), -inOneHour) }) },
      8,
      /^warn its clock is 1 h 00 min behind ours/,
    ],
    [
      'that forgets to delete',
      { wrap: (inner) => changed(inner, { delete: async () => undefined }) },
      8,
      /^warn .*still there/,
    ],
  ])('%s', async (_, breakage, code, message) => {
    const found = await wrong(breakage);
    expect(found.troubles).toEqual([expect.stringMatching(message)]);
    expect(found.code).toBe(code);
  });

  test('a sound one, through the same way', async () => {
    expect(await wrong({})).toEqual({ code: 0, troubles: [] });
  });
});
