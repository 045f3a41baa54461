/** The cache of sidecars: quick, private, and never believed against the store. */
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StoredObject } from '../../../../src/destination/destination.ts';
import { localType } from '../../../../src/destination/local/local.ts';
import { guardAgainstAnomaly } from '../../../../src/operation/anomaly/guard.ts';
import type { Execution } from '../../../../src/operation/execution.ts';
import type { Runtime } from '../../../../src/operation/runtime.ts';
import { findBackup, listBackups, surveyBackups } from '../../../../src/operation/storage/list-backups.ts';
import { SidecarCache } from '../../../../src/operation/storage/sidecar-cache.ts';
import type { OpenDestination } from '../../../../src/operation/storage/stored-backup.ts';
import { serializeSidecar } from '../../../../src/sidecar/sidecar.ts';
import { backupNumber, fillFolder } from '../../../servers/many-backups.ts';

let folder: string;
let on: OpenDestination;
let reads: string[];
const file = () => join(folder, 'state', 'cache', 'sidecars-test');
const cacheFile = () => ({ path: file(), version: '0.1.0' });
const pathOf = (index: number) => join(folder, 'store', `${backupNumber(index).key}.meta.json`);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-cache-'));
  await fillFolder(join(folder, 'store'), 25);
  const destination = localType.open({ path: 'store' }, folder);
  const get = destination.get.bind(destination);
  reads = [];
  destination.get = (key, options) => {
    reads.push(key);
    return get(key, options);
  };
  on = { name: 'disk', destination, cache: cacheFile() };
});
afterEach(() => rm(folder, { recursive: true }));

/** What a survey shows, and which objects it had to read. */
async function survey(prefix = '') {
  reads = [];
  const backups = await surveyBackups(on, prefix);
  const known = Object.fromEntries(backups.map(({ key, sidecar, condition }) => [key, sidecar?.note ?? condition]));
  return { known, reads: reads.sort(), backups };
}

describe('the cache of sidecars', () => {
  test('reads every sidecar once, and shows the same afterwards', async () => {
    const first = await survey();
    expect(first.reads).toHaveLength(25);
    const second = await survey();
    expect(second.reads).toEqual([]);
    const plain = (list: typeof first.backups) =>
      list.map(({ on: _, sidecarJson: __, ...each }) => each).sort((a, b) => (a.key < b.key ? -1 : 1));
    expect(plain(second.backups)).toEqual(plain(await listBackups(on, '')));
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'state', 'cache'))).toEqual(['sidecars-test']);
  });

  test('remembers what the parser made of a sidecar, and nothing that it leaves out', async () => {
    const later = { ...backupNumber(3).sidecar, version: '1.7', laterField: 'unheard of' };
    await writeFile(pathOf(3), JSON.stringify(later));
    const shown = async () => (await survey()).backups.find(({ key }) => key === backupNumber(3).key);
    const first = await shown();
    expect(first?.condition).toBe('complete');
    expect(first?.sidecar).not.toHaveProperty('laterField');
    expect(await shown()).toEqual(first);
    expect(reads).toEqual([]);
  });

  test('reads what has changed, forgets what is gone, takes what is new', async () => {
    await survey();
    await writeFile(pathOf(3), serializeSidecar(backupNumber(3, { note: 'another' }).sidecar));
    await rm(pathOf(4));
    await writeFile(pathOf(25), serializeSidecar(backupNumber(25).sidecar));
    const { known, reads: read } = await survey();
    expect(read).toEqual([3, 25].map((index) => `${backupNumber(index).key}.meta.json`).sort());
    expect(known[backupNumber(3).key]).toBe('another');
    expect(known[backupNumber(4).key]).toBe('orphan');
    expect(known[backupNumber(25).key]).toBe('missing');
    expect(await readFile(file(), 'utf8')).not.toContain(backupNumber(4).key);
  });

  test('a survey of one job keeps what is known of the others', async () => {
    await survey();
    expect((await survey('job-3/')).reads).toEqual([]);
    await rm(pathOf(3));
    await survey('job-3/');
    expect((await survey()).reads).toEqual([]);
  });

  test('surveys of several jobs side by side keep what each of them has read', async () => {
    const whole = (prefix: string) => surveyBackups(on, prefix);
    await whole('job-1/');
    const slow = await SidecarCache.open(cacheFile());
    await whole('job-2/');
    const object = { key: 'job-3/x.meta.json', size: 2, modifiedAt: new Date(0), etag: 'x' };
    slow.set(object, 2, { a: 1 });
    await slow.save('job-3/');
    const cache = await SidecarCache.open(cacheFile());
    expect(cache.get(object)).toEqual({ a: 1 });
    expect((await survey('job-2/')).reads).toEqual([]);
    expect((await survey('job-1/')).reads).toEqual([]);
  });

  test('does not believe a sidecar that another of the same size and time has replaced', async () => {
    const original = serializeSidecar(backupNumber(5, { note: 'first!' }).sidecar);
    await writeFile(pathOf(5), original);
    await utimes(pathOf(5), 1_700_000_000, 1_700_000_000);
    await survey();
    const draft = join(folder, 'store', 'draft');
    await writeFile(draft, serializeSidecar(backupNumber(5, { note: 'second' }).sidecar));
    await utimes(draft, 1_700_000_000, 1_700_000_000);
    await rename(draft, pathOf(5));
    expect((await stat(pathOf(5))).size).toBe(original.length);
    expect((await survey()).known[backupNumber(5).key]).toBe('second');
  });

  test('whoever looks at one backup reads it anew, and asks for each of its objects once', async () => {
    await survey();
    const { key } = backupNumber(3);
    await writeFile(pathOf(3), serializeSidecar(backupNumber(3, { note: 'another' }).sidecar));
    const { destination } = on;
    const stat = destination.stat.bind(destination);
    const looks: string[] = [];
    destination.stat = (each) => {
      looks.push(each);
      return stat(each);
    };
    reads = [];
    expect(await findBackup(on, key)).toMatchObject({ condition: 'complete', sidecar: { note: 'another' } });
    expect([looks, reads.sort()]).toEqual([[key], [`${key}.meta.json`, `${key}.state.json`]]);
    await rm(pathOf(3));
    expect(await findBackup(on, key)).toMatchObject({ condition: 'orphan', sidecar: undefined, state: undefined });
  });

  test('the anomaly guard compares with what is known', async () => {
    const { key, sidecar } = backupNumber(20);
    const execution = { signal: new AbortController().signal, log() {}, trouble() {} } as unknown as Execution;
    const compare = async () => {
      reads = [];
      const limits = { sizeDrop: 0.5 };
      const { compared } = await guardAgainstAnomaly(sidecar, key, [on], limits, execution, {} as Runtime);
      return { compared, reads: reads.length };
    };
    expect(await compare()).toEqual({ compared: true, reads: 2 });
    expect(await compare()).toEqual({ compared: true, reads: 0 });
  });

  const damages: readonly (readonly [string, (content: Buffer) => Buffer])[] = [
    ['empty', () => Buffer.alloc(0)],
    ['cut', (content) => content.subarray(0, content.length - 1000)],
    ['cut at a line', (content) => content.subarray(0, content.lastIndexOf('\n') + 1)],
    ['altered', (content) => Buffer.from(content.toString().replace('"durationMs":5000', '"durationMs":9999'))],
    ['of another program', () => Buffer.from('SQLite format 3\0')],
    ['of another format', (content) => headed(content, (text) => text.replace('cache 2', 'cache 1'))],
    ['of another version of the program', (content) => headed(content, (text) => text.replace('0.1.0', '0.2.0'))],
  ];
  /** Whole all the same: with the right hash at its end. */
  function headed(content: Buffer, change: (text: string) => string): Buffer {
    const body = Buffer.from(change(content.toString('utf8', 0, content.lastIndexOf('\n') + 1)));
    return Buffer.concat([body, Buffer.from(createHash('sha256').update(body).digest('hex'))]);
  }

  test.each(damages)('a file that is %s is passed over and written anew', async (_, damage) => {
    const first = await survey();
    const before = await readFile(file());
    const damaged = damage(before);
    expect(damaged.equals(before)).toBe(false);
    await writeFile(file(), damaged);
    const second = await survey();
    expect(second.reads).toHaveLength(25);
    expect(second.known).toEqual(first.known);
    expect((await survey()).reads).toEqual([]);
  });

  test('a file that others may write is not believed', async () => {
    await survey();
    await chmod(file(), 0o666);
    expect((await survey()).reads).toHaveLength(25);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
  });

  test('a state folder that cannot be written costs nothing but time', async () => {
    await writeFile(join(folder, 'state'), 'no folder');
    expect((await survey()).reads).toHaveLength(25);
    expect((await survey()).reads).toHaveLength(25);
  });

  test('never remembers what it could not tell from a later version, or what was exchanged while it was read', async () => {
    const value = { a: 'line\nend\tand tab' };
    const bytes = 30;
    const old = new Date(Date.now() - 3_600_000);
    const object: StoredObject = { key: 'a/b.meta.json', size: bytes, modifiedAt: old };
    const remembered = async (listed: StoredObject) => {
      const cache = await SidecarCache.open(cacheFile());
      cache.set(listed, bytes, value);
      return cache.get(listed);
    };
    expect(await remembered(object)).toEqual(value);
    expect(await remembered({ ...object, modifiedAt: new Date() })).toBeUndefined();
    expect(await remembered({ ...object, modifiedAt: new Date(), etag: 'x' })).toEqual(value);
    expect(await remembered({ ...object, size: 9 })).toBeUndefined();
  });

  test('many readers of one signal give no warning', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error) => warnings.push(String(warning));
    process.on('warning', listen);
    try {
      await surveyBackups(on, '', new AbortController().signal);
      await new Promise((resolve) => setImmediate(resolve));
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', listen);
    }
  });
});

test('the store is asked for a stream per sidecar, not for all at once', async () => {
  let open = 0;
  let most = 0;
  const { destination } = on;
  destination.get = async (key) => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, 5));
    open -= 1;
    const index = Array.from({ length: 25 }, (_, each) => each).find((each) => key.startsWith(backupNumber(each).key));
    return Readable.from([serializeSidecar(backupNumber(index ?? 0).sidecar)]);
  };
  await fillFolder(join(folder, 'store'), 100);
  await surveyBackups(on, '');
  expect(most).toBeGreaterThan(8);
  expect(most).toBeLessThanOrEqual(32);
});
