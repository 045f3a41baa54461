import { expect, it } from 'vitest';
import type { AdapterDefinition } from '../../../../src/config/config.ts';
import type { StoredObject } from '../../../../src/destination/destination.ts';
import { MemoryDestination } from '../../../../src/destination/memory/memory-destination.ts';
import { DbBackupError } from '../../../../src/errors.ts';
import { CopyReader } from '../../../../src/operation/report/read-copies.ts';
import type { Runtime } from '../../../../src/operation/runtime.ts';

const definition: AdapterDefinition = { name: 'far', type: 'memory', options: {} };

/** A destination that fails every listing, and writes down which were under way at a time. */
function failing(error: Error) {
  const asked: string[] = [];
  let [underWay, most] = [0, 0];
  class Failing extends MemoryDestination {
    override async *list(prefix = ''): AsyncGenerator<StoredObject> {
      asked.push(prefix);
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((done) => setTimeout(done, 5));
      underWay -= 1;
      throw error;
    }
  }
  const type = { type: 'memory', open: () => new Failing() };
  const runtime = {
    ...{ destinations: [type], workingFolder: '/', stateFolder: '/nowhere', signal: new AbortController().signal },
    tool: { name: 'dbbackup', version: '0' },
    resolve: () => Promise.resolve({}),
  } as unknown as Runtime;
  const reader = new CopyReader(runtime, new Date());
  const read = () => Promise.all(['a', 'b', 'c'].map((job) => reader.read(job, definition, undefined)));
  return { read, asked, most: () => most };
}

it('asks a destination that cannot be reached once, and says why for every job', async () => {
  const { read, asked } = failing(new DbBackupError('DESTINATION_FAILED', 'connection refused', { retryable: true }));
  const copies = await read();
  expect(asked).toEqual(['a/']);
  expect(copies.map(({ problem }) => problem)).toEqual(Array(3).fill('it could not be read: connection refused'));
});

it('asks for the other jobs where only one may not be read, one after the other', async () => {
  const { read, asked, most } = failing(new DbBackupError('DESTINATION_FAILED', 'permission denied'));
  const copies = await read();
  expect(asked).toEqual(['a/', 'b/', 'c/']);
  expect(most()).toBe(1);
  expect(copies.every(({ problem }) => problem?.includes('permission denied'))).toBe(true);
});
