import { describe, expect, test } from 'vitest';
import { DbBackupError } from '../../../src/errors.ts';
import { inQueue } from '../../../src/operation/backup/in-queue.ts';
import { withRetries } from '../../../src/operation/backup/with-retries.ts';

const never = new AbortController().signal;
const passing = new DbBackupError('SOURCE_FAILED', 'connection lost', { retryable: true });

describe('queue', () => {
  test('is first in, first out, with so many at a time', async () => {
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    const results = await inQueue([1, 2, 3, 4, 5], 2, never, async (item) => {
      begun.push(item);
      running += 1;
      most = Math.max(most, running);
      await new Promise((done) => setTimeout(done, 5 * (6 - item)));
      running -= 1;
      return item * 10;
    });
    expect(begun).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
    expect(results).toEqual([10, 20, 30, 40, 50]);
  });

  test('begins nothing more after an abort', async () => {
    const stop = new AbortController();
    const results = await inQueue([1, 2, 3], 1, stop.signal, async (item) => {
      stop.abort();
      return item;
    });
    expect(results).toEqual([1]);
  });
});

describe('retries', () => {
  test('repeat what may pass, waiting twice as long each time', async () => {
    const waits: number[] = [];
    const result = await withRetries(
      { attempts: 4, backoffMs: 2 },
      never,
      async (before) => {
        if (before < 3) throw passing;
        return before;
      },
      (_, waitMs) => waits.push(waitMs),
    );
    expect(result).toBe(3);
    expect(waits).toEqual([2, 4, 8]);
  });

  test('end with the last error', async () => {
    const tries: number[] = [];
    const failing = withRetries(
      { attempts: 2, backoffMs: 1 },
      never,
      async (before) => {
        tries.push(before);
        throw passing;
      },
      () => {},
    );
    await expect(failing).rejects.toBe(passing);
    expect(tries).toEqual([0, 1]);
  });

  test('do not repeat what somebody must mend first', async () => {
    const broken = new DbBackupError('AUTHENTICATION_FAILED', 'wrong password');
    const tries: number[] = [];
    const failing = withRetries(
      { attempts: 5, backoffMs: 1 },
      never,
      async (before) => {
        tries.push(before);
        throw broken;
      },
      () => {},
    );
    await expect(failing).rejects.toBe(broken);
    expect(tries).toEqual([0]);
  });

  test('give up waiting when aborted', async () => {
    const stop = new AbortController();
    const failing = withRetries(
      { attempts: 5, backoffMs: 3_600_000 },
      stop.signal,
      async () => {
        throw passing;
      },
      () => stop.abort(),
    );
    await expect(failing).rejects.toBe(passing);
  });
});
