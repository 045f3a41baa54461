import { describe, expect, it } from 'vitest';
import { withBackoff } from '../../../src/destination/backoff.ts';

/** Fails so many times, then gives the number of calls. */
function failing(times: number) {
  let calls = 0;
  return {
    work: async () => {
      if (++calls <= times) throw new Error(`failure ${calls}`);
      return calls;
    },
    calls: () => calls,
  };
}

describe('withBackoff', () => {
  it('repeats what may pass, so often as it may', async () => {
    expect(await withBackoff(failing(2).work, { retries: 2, passing: () => true })).toBe(3);
    await expect(withBackoff(failing(3).work, { retries: 2, passing: () => true })).rejects.toThrow('failure 3');
  });

  it('does not repeat what will not pass', async () => {
    const subject = failing(1);
    await expect(withBackoff(subject.work, { retries: 5, passing: () => false })).rejects.toThrow('failure 1');
    expect(subject.calls()).toBe(1);
  });

  it('ends a pause when aborted, with the reason', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const work = async () => {
      setImmediate(() => controller.abort(reason));
      throw new Error('failure');
    };
    const started = Date.now();
    await expect(withBackoff(work, { retries: 20, passing: () => true, signal: controller.signal })).rejects.toBe(
      reason,
    );
    expect(Date.now() - started).toBeLessThan(10_000);
  });
});
