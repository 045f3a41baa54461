/** Names: odd ones work, unsafe ones are refused by every method. */
import { describe, expect, it } from 'vitest';
import type { DestinationSuite, Subject } from '../describe-destination.ts';
import { codeOf, getBytes, keysUnder, neverAborted, putBytes, sampleBytes, streamOf } from './sample.ts';

const oddNames = [
  'with space',
  ' around ',
  'Ünïcode-日本語-😀',
  '$(rm -rf x)',
  '`id`;a&b|c>d',
  'quote"and\'quote',
  '--help',
  '-leading',
  '100%25%2e%2e',
  'plus+plus=&?#hash',
  '*[x]{y}~!',
  '.hidden',
  '...',
  'colon:name@host',
];

const unsafeKeys = [
  '/etc/passwd',
  '..',
  '../outside',
  'job/../../outside',
  'job/..',
  './job',
  'job//object',
  'job\\object',
  'job\nobject',
  'job\u0000object',
  'x'.repeat(1025),
];

export function testNaming(subject: Subject, suite: DestinationSuite): void {
  const names = suite.slow ? oddNames.filter((_, index) => index % 5 === 2) : oddNames;
  describe('naming', () => {
    it.concurrent.each(names)('F33 keeps %j as it is', async (name) => {
      const { destination } = subject();
      const key = `odd/${name}/${name}`;
      const bytes = sampleBytes(300);
      await putBytes(destination, key, bytes);
      expect((await getBytes(destination, key)).equals(bytes)).toBe(true);
      expect(await destination.stat(key)).toMatchObject({ key, size: 300 });
      expect(await keysUnder(destination, `odd/${name}/`)).toEqual([key]);
      await destination.replace(`${key}.json`, Buffer.from('{}'), { signal: neverAborted });
      expect(await keysUnder(destination, `odd/${name}/`)).toEqual([key, `${key}.json`]);
      await destination.delete(key);
      await destination.delete(`${key}.json`);
      expect(await keysUnder(destination, `odd/${name}/`)).toEqual([]);
    });

    it.each(unsafeKeys)('F34 refuses %j everywhere', async (key) => {
      const { destination } = subject();
      const stream = streamOf(sampleBytes(10));
      const options = { signal: neverAborted };
      expect(await codeOf(destination.put(key, stream, options))).toBe('KEY_UNSAFE');
      expect(stream.destroyed).toBe(true);
      expect(await codeOf(destination.replace(key, Buffer.from('x'), options))).toBe('KEY_UNSAFE');
      expect(await codeOf(destination.get(key))).toBe('KEY_UNSAFE');
      expect(await codeOf(destination.stat(key))).toBe('KEY_UNSAFE');
      expect(await codeOf(destination.delete(key))).toBe('KEY_UNSAFE');
      expect(await codeOf(keysUnder(destination, key))).toBe('KEY_UNSAFE');
    });

    it.each(['', 'job/'])('F34 refuses %j as the name of an object', async (key) => {
      const { destination } = subject();
      expect(await codeOf(putBytes(destination, key, sampleBytes(10)))).toBe('KEY_UNSAFE');
      expect(await codeOf(destination.get(key))).toBe('KEY_UNSAFE');
      expect(await codeOf(destination.delete(key))).toBe('KEY_UNSAFE');
    });
  });
}
