/** Listing objects and what was left unfinished. */
import { describe, expect, it } from 'vitest';
import type { Leftover } from '../../../src/destination/destination.ts';
import { DbBackupError } from '../../../src/errors.ts';
import type { DestinationSuite, Subject } from '../describe-destination.ts';
import { inParallel, interruptedStream, keysUnder, putBytes, rejectionOf, sampleBytes } from './sample.ts';

export function testListing(subject: Subject, suite: DestinationSuite): void {
  describe('listing', () => {
    it('finds by prefix, in folders and in the middle of a name', async () => {
      const { destination } = subject();
      const keys = ['list/a/one', 'list/a/two', 'list/ab/three', 'list/b/deep/er/four', 'listed-beside'];
      await inParallel(keys, (key) => putBytes(destination, key, sampleBytes(5)));
      const found = await Promise.all(
        ['list/', 'list/a', 'list/a/', 'list/a/tw', 'list/nothing/here', ''].map((each) =>
          keysUnder(destination, each),
        ),
      );
      const some = [keys.slice(0, 4), keys.slice(0, 3), keys.slice(0, 2), ['list/a/two'], []];
      expect(found).toEqual([...some, expect.arrayContaining(keys)]);
    });

    it('lists many, each once, while they are being deleted', async () => {
      const { destination } = subject();
      const count = suite.manyObjects ?? 1000;
      const keys = Array.from({ length: count }, (_, index) => `many/object-${String(index).padStart(5, '0')}`);
      await inParallel(keys, (key) => putBytes(destination, key, sampleBytes(1)));
      expect(await keysUnder(destination, 'many/')).toEqual(keys);
      const seen: string[] = [];
      for await (const { key } of destination.list('many/')) {
        seen.push(key);
        await destination.delete(key);
      }
      expect(seen.sort()).toEqual(keys);
      expect(await keysUnder(destination, 'many/')).toEqual([]);
    });

    it('stops listing when aborted', async () => {
      const { destination } = subject();
      await putBytes(destination, 'stop/object', sampleBytes(1));
      const reason = new DbBackupError('INTERRUPTED', 'enough');
      const listing = destination.list('stop/', { signal: AbortSignal.abort(reason) })[Symbol.asyncIterator]();
      expect(await rejectionOf(listing.next())).toBe(reason);
    });

    it('shows no unfinished upload as an object, and leaves none behind', async () => {
      const { destination } = subject();
      const before = (await leftoversOf(subject)).length;
      const controller = new AbortController();
      const during: string[] = [];
      const stream = interruptedStream(sampleBytes(200_000), async () => {
        during.push(...(await keysUnder(destination, 'unfinished/')));
        controller.abort(new DbBackupError('INTERRUPTED', 'enough'));
      });
      await rejectionOf(destination.put('unfinished/object', stream, { signal: controller.signal }));
      expect(during).toEqual([]);
      expect(await leftoversOf(subject)).toHaveLength(before);
    });

    const { abandonUpload } = suite;
    if (abandonUpload === undefined) return;
    it('F24 finds and removes what a killed process left', async () => {
      const { destination } = subject();
      const objects = await keysUnder(destination, '');
      await abandonUpload();
      const found = await leftoversOf(subject);
      expect(found).toHaveLength(1);
      const folder = found[0]?.key.replace(/[^/]*$/, '');
      expect(await leftoversOf(subject, folder)).toHaveLength(1);
      expect(await leftoversOf(subject, 'elsewhere/')).toEqual([]);
      expect(Math.abs(Date.now() - Number(found[0]?.startedAt))).toBeLessThan(10 * 60_000);
      expect(await keysUnder(destination, '')).toEqual(objects);
      for (const leftover of found) await leftover.remove();
      expect(await leftoversOf(subject)).toEqual([]);
      expect(await keysUnder(destination, '')).toEqual(objects);
    });
  });
}

async function leftoversOf(subject: Subject, folder?: string): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for await (const leftover of subject().destination.leftovers(folder)) found.push(leftover);
  return found;
}
