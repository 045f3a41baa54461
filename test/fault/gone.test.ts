/** Executions that the history still calls running, although their process was killed. */
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHistory } from '../../src/history/history.ts';
import { acquireRunLock, executionLockName } from '../../src/lock/run-lock.ts';
import { openStateFolder } from '../../src/state-folder.ts';
import { expectCode, makeWorkplace, type Workplace } from '../e2e/cli.ts';
import { runInProcess } from './faulty-app.ts';

describe('an execution whose process is gone', () => {
  let place: Workplace;
  const run = (...argv: string[]) => runInProcess(place, {}, ...argv);
  beforeEach(async () => {
    place = await makeWorkplace();
  });
  afterEach(() => place.remove());

  async function begun(job: string, host = hostname()): Promise<string> {
    const history = await openHistory(await openStateFolder(place.path('state')));
    try {
      return history.begin({ kind: 'backup', job, trigger: 'manual', host, pid: 4194304 });
    } finally {
      history.close();
    }
  }

  it('is gone in status and interrupted in history, and nothing is written down', async () => {
    await begun('dead');
    for (const _twice of [1, 2]) {
      const { stdout } = expectCode(await run('status'), 0);
      expect(stdout).toMatch(/^nothing runs\ngone: backup of dead \([0-9a-f]{8}, pid 4194304\), interrupted/);
      expect(expectCode(await run('history'), 0).stdout).toMatch(/backup +dead .*interrupted/);
    }
    const { running, gone } = JSON.parse((await run('status', '--json')).stdout) as Record<string, { job: string }[]>;
    expect([running, gone?.map(({ job }) => job)]).toEqual([[], ['dead']]);
    expect(expectCode(await run('history', '--status', 'running'), 0).stdout).toContain('dead');
  });

  it('is told from one that lives, and from one of another machine', async () => {
    const id = await begun('alive');
    await begun('elsewhere', 'another-machine');
    const lock = await acquireRunLock({
      stateFolder: place.path('state'),
      name: executionLockName(id),
      holder: { executionId: id, host: hostname(), pid: process.pid, command: 'backup' },
      wait: false,
      signal: new AbortController().signal,
    });
    try {
      const { stdout } = expectCode(await run('status'), 0);
      expect(stdout).toMatch(/backup +alive/);
      expect(stdout).toMatch(/backup +elsewhere/);
      expect(stdout).not.toContain('gone');
    } finally {
      await lock.release();
    }
  });
});
