import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireRunLock, executionLives, executionLockName, probeRunLock } from '../../src/lock/run-lock.ts';

type Child = ChildProcessByStdio<Writable, Readable, null>;

const script = path.join(import.meta.dirname, 'hold-lock.js');
const executionId = '4f9c01ab-0000-4000-8000-000000000001';
const rounds = process.env['DBBACKUP_LOCK_ROUNDS'] ?? '40';

let state: string;
let children: Child[];

beforeEach(async () => {
  state = await mkdtemp(path.join(tmpdir(), 'dbbackup-lock-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(state, { recursive: true, force: true });
});

function start(...args: string[]): { child: Child; line: () => Promise<string> } {
  const child = spawn(process.execPath, [script, state, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async () => String((await lines.next()).value) };
}

function request(name: string, wait = false) {
  const holder = { executionId: 'ours', host: 'here', pid: process.pid, command: 'test' };
  return { stateFolder: state, name, holder, wait, signal: new AbortController().signal };
}

async function kill(child: Child): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('F28 two runs of one job', () => {
  it('lets one work and tells the other who holds the lock and since when', async () => {
    const { child, line } = start('shop', executionId, 'hold');
    expect(await line()).toBe('held');
    await expect(acquireRunLock(request('shop'))).rejects.toMatchObject({
      code: 'BUSY',
      exitCode: 6,
      message: expect.stringMatching(
        new RegExp(
          `^job shop is locked by execution 4f9c01ab \\(pid ${child.pid} on elsewhere\\) since \\d{4}-.* UTC$`,
        ),
      ),
    });
    await (await acquireRunLock(request('other'))).release();
  });

  it('lets the other wait until the first is done', async () => {
    const first = start('shop', executionId, 'hold');
    expect(await first.line()).toBe('held');
    let waitingFor = '';
    const second = acquireRunLock({
      ...request('shop', true),
      onWait: (heldBy) => {
        waitingFor = String(heldBy?.executionId);
        first.child.stdin.end();
      },
    });
    const lock = await second;
    expect(waitingFor).toBe(executionId);
    const third = start('shop', 'third', 'hold');
    expect(JSON.parse(await third.line())).toMatchObject({ code: 'BUSY', exitCode: 6 });
    await lock.release();
  });

  it('keeps the lock when the same process asks, probes and fails again', async () => {
    const lock = await acquireRunLock(request('shop'));
    await expect(acquireRunLock(request('shop'))).rejects.toMatchObject({ code: 'BUSY' });
    expect(await probeRunLock(state, 'shop')).toBe(true);
    expect(JSON.parse(await start('shop', 'other', 'hold').line())).toMatchObject({ code: 'BUSY' });
    await lock.release();
    expect(await start('shop', 'other', 'hold').line()).toBe('held');
  });

  it('never lets two in, though the file is removed at every release', async () => {
    const marker = path.join(state, 'inside');
    const turns = ['a', 'b', 'c'].map((id) => start('shop', id, 'rounds', rounds, marker));
    expect(await Promise.all(turns.map((turn) => turn.line()))).toEqual(['done', 'done', 'done']);
  });

  it('is not inherited by a child that outlives its holder', async () => {
    const lock = await acquireRunLock(request('shop'));
    const survivor = spawn('sleep', ['60'], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(survivor);
    await once(survivor, 'spawn');
    await lock.release();
    expect(await start('shop', 'next', 'hold').line()).toBe('held');
  });
});

describe('F29 the holder is killed', () => {
  it('frees the lock at once, and the next holder is the one that is named', async () => {
    const { child, line } = start('shop', executionId, 'hold');
    expect(await line()).toBe('held');
    expect(await probeRunLock(state, 'shop')).toBe(true);
    await kill(child);
    expect(await probeRunLock(state, 'shop')).toBe(false);
    const lock = await acquireRunLock(request('shop'));
    await expect(acquireRunLock(request('shop'))).rejects.toThrow('execution ours ');
    await lock.release();
  });

  it('tells a dead execution from a living one', async () => {
    const dead = start(executionLockName('dead'), 'dead', 'hold');
    const living = start(executionLockName('living'), 'living', 'hold');
    expect(await Promise.all([dead.line(), living.line()])).toEqual(['held', 'held']);
    await kill(dead.child);
    expect(await probeRunLock(state, executionLockName('dead'))).toBe(false);
    expect(await probeRunLock(state, executionLockName('living'))).toBe(true);
    // A container that is started anew has another name, and the kernel that keeps the lock.
    const lives = (id: string, host: string) => executionLives(state, { id, host }, 'here');
    expect(await lives('dead', 'container')).toBe(false);
    expect(await lives('living', 'container')).toBe(true);
    const holder = path.join(state, 'lock', `${executionLockName('dead')}.lock.json`);
    await writeFile(holder, (await readFile(holder, 'utf8')).replace(/"kernel":"[^"]*"/, '"kernel":"another"'));
    expect(await lives('dead', 'container')).toBeUndefined();
    expect(await lives('dead', 'here')).toBe(false);
  });
});
