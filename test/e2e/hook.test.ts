/** The user's own commands around whole runs of the built program. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeQuickWorkplace } from '../fault/faulty-app.ts';
import { makeShop } from '../servers/small-shop.ts';
import { backupsOf, expectNothingPublished, filesIn, historyOf, processesOf } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

let place: Workplace;

beforeEach(async () => {
  place = await makeQuickWorkplace();
  makeShop(place.path('shop.sqlite'));
  // Notes which hook ran, with what in its environment.
  await writeFile(place.path('note.sh'), '#!/bin/sh\nenv | grep ^DBBACKUP_ | sort > "seen-$DBBACKUP_HOOK"\n', {
    mode: 0o755,
  });
});
afterEach(() => place.remove());

async function configure(hooks: string): Promise<void> {
  await place.configure(`
sources: { shop: { type: sqlite, path: ./shop.sqlite } }
destinations: { disk: { type: local, path: ./backups } }
jobs:
  shop: { source: shop, destinations: disk, hooks: ${hooks} }
  later: { source: shop, destinations: disk }
`);
}

const noteAll = 'before: ./note.sh, after: [./note.sh], onSuccess: [[./note.sh]], onFailure: ["./note.sh"]';

/** What a hook saw; undefined when it did not run. */
async function seen(hook: string): Promise<Record<string, string> | undefined> {
  const text = await readFile(place.path(`seen-${hook}`), 'utf8').catch(() => undefined);
  const lines = text
    ?.trimEnd()
    .split('\n')
    .map((line) => line.split(/=(.*)/s).slice(0, 2));
  return lines && Object.fromEntries(lines);
}

async function logOfNewest(): Promise<string> {
  const [execution] = await historyOf(place);
  return (await place.run('logs', execution?.id ?? '')).stdout;
}

describe('hooks', () => {
  test('of a success see the job, the execution and the backup', async () => {
    await configure(`{ ${noteAll} }`);
    expectCode(await place.run('run', 'shop'), 0);
    const [execution] = await historyOf(place);
    const [backup] = await backupsOf(place);
    const about = { DBBACKUP_JOB: 'shop', DBBACKUP_EXECUTION: execution?.id };
    expect(await seen('before')).toMatchObject({ ...about, DBBACKUP_STATUS: 'running' });
    expect(await seen('before')).not.toHaveProperty('DBBACKUP_ARTIFACT');
    for (const hook of ['after', 'onSuccess']) {
      expect(await seen(hook)).toMatchObject({
        ...about,
        DBBACKUP_STATUS: 'completed',
        DBBACKUP_ARTIFACT: backup?.key,
      });
      expect(await seen(hook)).not.toHaveProperty('DBBACKUP_ERROR');
    }
    expect(await seen('onFailure')).toBeUndefined();
  });

  test('run beside the config, wherever dbbackup was started', async () => {
    await configure(`{ ${noteAll} }`);
    const elsewhere = await makeWorkplace();
    try {
      const env = { DBBACKUP_CONFIG: place.path('dbbackup.yaml'), DBBACKUP_STATE_DIR: place.path('state') };
      expectCode(await elsewhere.start(['run', 'shop'], env).ended, 0);
    } finally {
      await elsewhere.remove();
    }
    expect(await seen('onSuccess')).toBeDefined();
  });

  test('a failing before ends the run; after undoes it, onFailure is told', async () => {
    await configure(`{ ${noteAll.replace('./note.sh', '["./note.sh", "sh -c \'echo broken >&2; exit 4\'"]')} }`);
    const before = await filesIn(place.path('backups'));
    const run = await place.run('run', 'shop');
    await expectNothingPublished(place, before, { run, exitCode: 3, errorCode: 'HOOK_FAILED' });
    expect(run.stderr).toContain('hook before of shop failed: sh exited with code 4: broken');
    for (const hook of ['after', 'onFailure']) {
      const env = { DBBACKUP_STATUS: 'failed', DBBACKUP_ERROR_CODE: 'HOOK_FAILED' };
      expect(await seen(hook)).toMatchObject({ ...env, DBBACKUP_ERROR: expect.stringContaining('broken') });
    }
    expect(await seen('onSuccess')).toBeUndefined();
  });

  test('a failing after leaves the backup good, the next command runs, and the exit code is 8', async () => {
    await configure('{ after: ["false", ./note.sh], onSuccess: [./not-there.sh] }');
    const run = expectCode(await place.run('run', 'shop'), 8);
    expect(run.stderr).toContain('hook after of shop failed');
    expect(run.stderr).toContain('not-there.sh');
    expect(await seen('after')).toBeDefined();
    expect(await backupsOf(place)).toMatchObject([{ condition: 'complete' }]);
    expect((await historyOf(place))[0]?.status).toBe('completed');
  });

  test('one that does not end is killed with all it started', async () => {
    await configure(`{ before: ["sh -c 'sleep 300 & sleep 300'"], timeout: 300ms }`);
    const run = expectCode(await place.run('run', 'shop'), 3);
    expect(run.stderr).toContain('did not end within 0.3 s');
    expect(processesOf(place)).toEqual([]);
  });

  test('after runs when the run is interrupted in before', async () => {
    await configure(`{ before: ["sh -c 'echo ready; sleep 300'"], after: [./note.sh], onFailure: [./note.sh] }`);
    const run = place.start(['run', 'shop', 'later']);
    await new Promise<void>((resolve) => {
      run.child.stderr?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('before: ready')) resolve();
      });
    });
    run.child.kill('SIGINT');
    const { stderr } = expectCode(await run.ended, 130);
    expect(stderr).toContain('interrupted: 0 of 2 jobs done, not begun: later');
    expect(await seen('after')).toMatchObject({ DBBACKUP_STATUS: 'cancelled' });
    expect(await seen('onFailure')).toBeUndefined();
    expect(processesOf(place)).toEqual([]);
  });

  test('their output goes to the log line by line', async () => {
    await configure(`{ before: ["sh -c 'echo one; echo two >&2; printf three'"], after: ["printf '%s' a\\\\ b"] }`);
    expectCode(await place.run('run', 'shop'), 0);
    const log = await logOfNewest();
    for (const line of ['before: one', 'before: two', 'before: three', 'after: a b']) expect(log).toContain(line);
  });

  test('of a flood the beginning and the end are kept', async () => {
    await configure(`{ before: ["sh -c 'yes | head -n 200000; echo the end'"] }`);
    expectCode(await place.run('run', 'shop', '--quiet'), 0);
    const lines = (await logOfNewest()).split('\n').filter((line) => line.includes('before: '));
    expect(lines).toHaveLength(1000 + 1 + 20);
    expect(lines[1000]).toContain('(198981 lines left out)');
    expect(lines.at(-1)).toContain('the end');
  });

  test('no shell: what a shell would do is only text', async () => {
    await configure(`{ before: ["echo $HOME; rm -rf $(pwd) > x | y"] }`);
    expectCode(await place.run('run', 'shop'), 0);
    expect(await logOfNewest()).toContain('before: $HOME; rm -rf $(pwd) > x | y');
  });
});
