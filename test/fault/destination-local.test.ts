import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Leftover } from '../../src/destination/destination.ts';
import { localType } from '../../src/destination/local/local.ts';
import {
  codeOf,
  getBytes,
  interruptedStream,
  keysUnder,
  neverAborted,
  putBytes,
  rejectionOf,
  sampleBytes,
} from '../contract/destination/sample.ts';
import { putUnderStrace } from './put-under-strace.ts';

const run = promisify(execFile);
const options = { signal: neverAborted };

describe('local destination', () => {
  let folder = '';
  let root = '';
  const open = () => localType.open({ path: 'store' }, folder);
  const trace = () => join(folder, 'trace');
  const leftovers = async () => {
    const found: Leftover[] = [];
    for await (const leftover of open().leftovers()) found.push(leftover);
    return found;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dbbackup-fault-'));
    root = join(folder, 'store');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('F25 syncs file and folders before it reports success', async () => {
    const { stored, calls } = await putUnderStrace(root, trace(), ['-e', 'trace=fsync,write,/^link(at)?$']);
    expect(stored?.size).toBe(40 * 65_536);
    const firstOf = (...parts: string[]) => calls.findIndex((call) => parts.every((part) => call.includes(part)));
    const order = [
      firstOf('fsync(', `<${folder}>`),
      firstOf('fsync(', '.part>'),
      firstOf('link', '.part"', 'job/object"'),
      firstOf('fsync(', `<${root}/job>`),
      firstOf('fsync(', `<${root}>`),
      firstOf('write(1', 'stored'),
    ];
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it.each([
    ['of the file', 1],
    ['of its folder', 2],
    ['of the root', 3],
  ])('F26 believes no second fsync after one %s failed', async (_, nth) => {
    await mkdir(root);
    const inject = ['-e', 'trace=fsync', '-e', `inject=fsync:error=EIO:when=${nth}`];
    const { error, calls } = await putUnderStrace(root, trace(), inject);
    expect(error?.code).toBe('DESTINATION_FAILED');
    expect(error?.hint).toMatch(/disk/);
    expect(calls.filter((call) => call.includes('EIO'))).toHaveLength(1);
    expect(calls.filter((call) => call.includes('fsync('))).toHaveLength(nth);
    expect(await readdir(join(root, 'job'))).toEqual([]);
  });

  it('F26 reports a write that fails with EIO, and leaves nothing', async () => {
    const inject = ['-e', 'trace=writev,pwritev,pwrite64', '-e', 'inject=writev,pwritev:error=EIO'];
    const { error } = await putUnderStrace(root, trace(), inject);
    expect(error?.code).toBe('DESTINATION_FAILED');
    expect(await readdir(join(root, 'job'))).toEqual([]);
  });

  it.skipIf(process.env['DBBACKUP_TEST_SKIP_ROOT'] === '1')(
    'F26 fills a real disk, and leaves room again',
    async () => {
      await mkdir(root);
      await run('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'none', root]).catch((cause) => {
        throw new Error('this test mounts a tmpfs and needs root; DBBACKUP_TEST_SKIP_ROOT=1 leaves it out', { cause });
      });
      try {
        const first = sampleBytes(1_000_000);
        await putBytes(open(), 'job/first', first);
        const tooMuch = Readable.from([sampleBytes(2_000_000), sampleBytes(2_000_000)]);
        const failure = await rejectionOf(open().put('job/second', tooMuch, options));
        expect(failure).toMatchObject({ code: 'DISK_FULL', exitCode: 4, hint: expect.stringMatching(/space/) });
        expect(await readdir(join(root, 'job'))).toEqual(['first']);
        expect((await getBytes(open(), 'job/first')).equals(first)).toBe(true);

        const refused = await rejectionOf(
          open().put('job/third', Readable.from([]), { ...options, estimatedBytes: 9e6 }),
        );
        expect(refused).toMatchObject({
          code: 'DISK_FULL',
          message: expect.stringMatching(/8\.6 MiB expected, 2\.0 MiB free/),
        });
        await putBytes(open(), 'job/fourth', sampleBytes(1_500_000));
      } finally {
        await run('umount', [root]);
      }
    },
  );

  it('F24 shows nothing but a leftover when killed before the name is given', async () => {
    const { killed } = await putUnderStrace(root, trace(), [
      '-e',
      'trace=link',
      '-e',
      'inject=link:signal=SIGKILL:error=EIO',
    ]);
    expect(killed).toBe(true);
    expect(await keysUnder(open(), '')).toEqual([]);
    const found = await leftovers();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ key: expect.stringMatching(/^job\/\.dbbackup-/), bytes: 40 * 65_536 });
    await found[0]?.remove();
    expect(await readdir(join(root, 'job'))).toEqual([]);
  });

  it.each([
    'EPERM',
    'EOPNOTSUPP',
  ])('publishes on a file system without links (%s), and does not overwrite', async (errno) => {
    const inject = ['-e', 'trace=/^link(at)?$', '-e', `inject=/^link(at)?$:error=${errno}`];
    const first = await putUnderStrace(root, trace(), inject);
    expect(first.stored?.size).toBe(40 * 65_536);
    expect(await readdir(join(root, 'job'))).toEqual(['object']);
    const before = await stat(join(root, 'job/object'));

    await rm(trace());
    const second = await putUnderStrace(root, trace(), inject);
    expect(second.error?.code).toBe('OBJECT_EXISTS');
    expect((await stat(join(root, 'job/object'))).ino).toBe(before.ino);
    expect(await readdir(join(root, 'job'))).toEqual(['object']);
  });

  it('F38 makes files 0600 and folders 0700 under umask 000', async () => {
    const { stored } = await putUnderStrace(join(root, 'deep'), trace(), ['-e', 'trace=/^link(at)?$']);
    expect(stored).toBeDefined();
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await modeOf(root)).toBe('700');
    expect(await modeOf(join(root, 'deep'))).toBe('700');
    expect(await modeOf(join(root, 'deep/job'))).toBe('700');
    expect(await modeOf(join(root, 'deep/job/object'))).toBe('600');
  });

  it('F18 sees a stored object that has another size than what was sent', async () => {
    const { size } = await putBytes(open(), 'job/object', sampleBytes(1000));
    await writeFile(join(root, 'job/object'), 'short');
    expect(size).toBe(1000);
    expect((await open().stat('job/object'))?.size).toBe(5);
  });

  it('F34 follows no symbolic link below its folder', async () => {
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'not a backup');
    await mkdir(join(root, 'job'), { recursive: true });
    await symlink(outside, join(root, 'link'));
    await symlink(join(outside, 'secret'), join(root, 'job/secret'));
    const store = open();

    expect(await codeOf(putBytes(store, 'link/object', sampleBytes(10)))).toBe('KEY_UNSAFE');
    expect(await codeOf(putBytes(store, 'link/deeper/object', sampleBytes(10)))).toBe('KEY_UNSAFE');
    expect(await codeOf(store.replace('link/secret', Buffer.from('x'), options))).toBe('KEY_UNSAFE');
    expect(await codeOf(store.get('link/secret'))).toBe('KEY_UNSAFE');
    expect(await codeOf(store.stat('link/secret'))).toBe('KEY_UNSAFE');
    expect(await codeOf(store.delete('link/secret'))).toBe('KEY_UNSAFE');
    expect(await codeOf(keysUnder(store, 'link/'))).toBe('KEY_UNSAFE');
    expect(await codeOf(store.get('job/secret'))).toBe('OBJECT_MISSING');
    expect(await store.stat('job/secret')).toBeUndefined();
    expect(await codeOf(putBytes(store, 'job/secret', sampleBytes(10)))).toBe('OBJECT_EXISTS');
    await store.delete('job/secret');
    expect(await keysUnder(store, '')).toEqual([]);
    expect(await readdir(outside)).toEqual(['secret']);
  });

  it('does not hang on a named pipe, and takes no folder for an object', async () => {
    await mkdir(join(root, 'folder'), { recursive: true });
    await run('mkfifo', [join(root, 'pipe')]);
    for (const key of ['pipe', 'folder']) {
      expect(await codeOf(open().get(key))).toBe('OBJECT_MISSING');
      expect(await open().stat(key)).toBeUndefined();
      await open().delete(key);
    }
    expect((await readdir(root)).sort()).toEqual(['folder', 'pipe']);
  });

  it('keeps its temporary names for itself', async () => {
    const reading: string[] = [];
    const controller = new AbortController();
    const stream = interruptedStream(sampleBytes(1000), async () => {
      for (const { key } of await leftovers()) reading.push(key, String(await codeOf(open().get(key))));
      controller.abort(new Error('enough'));
    });
    await rejectionOf(open().put('job/object', stream, { signal: controller.signal }));
    expect(reading).toEqual([expect.stringMatching(new RegExp(`^job/\\.dbbackup-${process.pid}-`)), 'KEY_UNSAFE']);
    expect(await leftovers()).toEqual([]);
  });

  it('removes the empty folders it made, and no others', async () => {
    await mkdir(join(root, 'users'), { recursive: true, mode: 0o755 });
    for (const key of ['job/deep/object', 'users/object']) {
      await putBytes(open(), key, sampleBytes(1));
      await open().delete(key);
    }
    expect(await readdir(root)).toEqual(['users']);
  });

  it('stores while deletions beside it remove the folders, which are empty again', async () => {
    const neighbour = async (name: string) => {
      for (let round = 0; round < 60; round++) {
        await putBytes(open(), `job/${name}/deep/object`, sampleBytes(1));
        await open().delete(`job/${name}/deep/object`);
      }
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(neighbour));
    expect(await readdir(root)).toEqual([]);
  });

  it('has an empty list and room before its folder exists', async () => {
    const store = localType.open({ path: 'not/made/yet' }, folder);
    expect(await keysUnder(store, '')).toEqual([]);
    expect(await store.freeBytes()).toBeGreaterThan(0);
    expect(await readdir(folder)).toEqual([]);
  });
});
