/** Files that others work on while they are read, and archives that mean harm. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/finding.ts';
import { filesType } from '../../src/source/files/files.ts';
import type { FilesOptions } from '../../src/source/files/options.ts';
import { encodeHeader, endOfArchive, paddingOf } from '../../src/source/files/tar-header.ts';
import type { Dump, DumpFormat } from '../../src/source/source.ts';
import { restoreOptions } from '../contract/source/dump-and-restore.ts';
import { type TestContext, withContext } from '../contract/source/test-context.ts';
import { fingerprintOfTree, makeFifo, makeNastyTree } from '../servers/nasty-tree.ts';

const run = promisify(execFile);
const [format] = filesType.capabilities().formats as readonly [DumpFormat];
const mebibyte = 1024 * 1024;

let all: string;
let folder: string;
let made = 0;
beforeAll(async () => {
  all = await mkdtemp(join(tmpdir(), 'dbbackup-files-fault-'));
});
afterAll(() => rm(all, { recursive: true, force: true }));
beforeEach(() => {
  made += 1;
  folder = join(all, String(made));
  mkdirSync(folder);
});

function sourceOf(options: Partial<FilesOptions> = {}) {
  return filesType.open(filesType.options.parse({ path: 'data', ...options }), folder);
}

function data(name: string): string {
  return join(folder, 'data', name);
}

async function startDump(context: TestContext, options: Partial<FilesOptions> = {}): Promise<Dump> {
  return sourceOf(options).dump({ format, backupType: 'full', filter: {} }, context);
}

async function findings(context: TestContext, options: Partial<FilesOptions> = {}): Promise<Finding[]> {
  const check = sourceOf(options).check?.({ ...context, formats: ['tar'], filtered: false });
  const found: Finding[] = [];
  for await (const each of check ?? []) found.push(each);
  return found;
}

/** Root may read everything. */
async function asNobody<Value>(work: () => Promise<Value>): Promise<Value> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.('nobody');
  try {
    return await work();
  } finally {
    process.seteuid?.('root');
  }
}

async function dump(options: Partial<FilesOptions> = {}) {
  return withContext(async (context) => {
    const started = await startDump(context, options);
    const bytes = await buffer(started.stream);
    const [contents] = await started.contents();
    return { bytes, totalBytes: started.totalBytes, contents, lines: context.lines };
  });
}

/** The first bytes are there, the rest waits: the walk stands in the middle of `b`. */
async function underWay(context: TestContext, options: Partial<FilesOptions> = {}): Promise<Dump> {
  mkdirSync(data(''));
  writeFileSync(data('a'), 'the first');
  writeFileSync(data('b'), Buffer.alloc(24 * mebibyte, 'b'));
  mkdirSync(data('c'));
  writeFileSync(data('c/file'), 'in a folder');
  writeFileSync(data('d'), 'the last');
  const started = await startDump(context, options);
  started.stream.on('error', () => {});
  await once(started.stream, 'readable');
  return started;
}

async function lengthOf(stream: Readable): Promise<number> {
  return (await buffer(stream)).length;
}

function namesIn(archive: Buffer): readonly string[] {
  const path = join(folder, 'list.tar');
  writeFileSync(path, archive);
  return execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).trim().split('\n');
}

async function restore(archive: Buffer, options: Partial<FilesOptions> = {}, clean = false) {
  return withContext(async (context) => {
    const input = { kind: 'stream' as const, stream: Readable.from([archive]) };
    return sourceOf({ path: 'target', ...options }).restore({ ...restoreOptions(format, clean), input }, context);
  });
}

describe('files that change while they are read', () => {
  it('a large file that becomes shorter fails the dump', async () => {
    await withContext(async (context) => {
      const { stream } = await underWay(context, { changedFiles: 'warn' });
      truncateSync(data('b'), 8 * mebibyte);
      await expect(lengthOf(stream)).rejects.toThrow(/^b became shorter/);
    });
  });

  it('a large file that grows fails the dump', async () => {
    await withContext(async (context) => {
      const { stream } = await underWay(context);
      const grows = setInterval(() => appendFileSync(data('b'), 'more'), 1);
      await expect(lengthOf(stream)).rejects.toMatchObject({ code: 'SOURCE_FAILED', retryable: true });
      clearInterval(grows);
    });
  });

  it('with "changedFiles: warn" what was read of it is in a whole archive, and it is told', async () => {
    await withContext(async (context) => {
      const started = await underWay(context, { changedFiles: 'warn' });
      const grows = setInterval(() => appendFileSync(data('b'), 'more'), 1);
      const archive = await buffer(started.stream);
      clearInterval(grows);
      expect(namesIn(archive)).toEqual(['./', 'a', 'b', 'c/', 'c/file', 'd']);
      expect(context.lines.join()).toContain('b was written to while it was read');
      expect((await started.contents())[0]?.properties).toMatchObject({ changed: ['b'] });
    });
  });

  it('a small file that is written to is never torn', async () => {
    mkdirSync(data(''));
    writeFileSync(data('counter'), '0'.repeat(500_000));
    const script = `let i = 0; const fs = require('node:fs'); setInterval(() => {
      fs.writeFileSync(process.argv[1], String(++i % 10).repeat(500000 + i)); }, 15);`;
    const writer = spawn(process.execPath, ['-e', script, data('counter')]);
    try {
      for (let round = 0; round < 10; round += 1) {
        const outcome = await dump().catch((error: unknown) => error as Error);
        if (outcome instanceof Error) {
          expect(outcome.message).toContain('counter was written to');
          continue;
        }
        writeFileSync(join(folder, 'x.tar'), outcome.bytes);
        const { stdout } = await run('tar', ['-xOf', join(folder, 'x.tar'), 'counter'], { maxBuffer: mebibyte });
        expect(new Set(stdout).size).toBeLessThanOrEqual(1);
      }
    } finally {
      writer.kill('SIGKILL');
    }
  });

  it('what vanishes is left out, told, and listed', async () => {
    await withContext(async (context) => {
      const started = await underWay(context);
      rmSync(data('d'));
      rmSync(data('c'), { recursive: true });
      const archive = await buffer(started.stream);
      expect(namesIn(archive)).toEqual(['./', 'a', 'b']);
      expect((await started.contents())[0]).toMatchObject({
        tables: { files: 2, folders: 1 },
        properties: { vanished: ['c', 'd'] },
      });
      expect(context.lines.filter((line) => line.startsWith('warning'))).toHaveLength(2);
    });
  });

  it('a folder that becomes a link is not followed', async () => {
    mkdirSync(join(folder, 'secret'));
    writeFileSync(join(folder, 'secret/file'), 'a secret of others');
    await withContext(async (context) => {
      const started = await underWay(context);
      renameSync(data('c'), join(folder, 'away'));
      symlinkSync('../secret', data('c'));
      const archive = await buffer(started.stream);
      expect(archive.includes('a secret of others')).toBe(false);
      expect(namesIn(archive)).not.toContain('c/file');
    });
  });
});

describe('what a dump takes', () => {
  it('F01 a missing folder, a file in its place and an empty folder are named before anything is opened', async () => {
    await expect(dump().then(() => 'a dump')).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      hint: expect.stringContaining('path'),
    });
    writeFileSync(data(''), 'a file');
    await expect(dump().then(() => 'a dump')).rejects.toThrow('is not a folder');
    rmSync(data(''));
    mkdirSync(data(''));
    await expect(dump().then(() => 'a dump')).rejects.toMatchObject({ code: 'DUMP_EMPTY' });
    writeFileSync(data('x.log'), 'x');
    await expect(dump({ exclude: ['*.log'] }).then(() => 'a dump')).rejects.toMatchObject({ code: 'DUMP_EMPTY' });
  });

  it('check tells what could not be read, what leads out, and what is left out', async () => {
    mkdirSync(data('sub'), { recursive: true });
    for (const name of ['open', 'sub/closed']) writeFileSync(data(name), name);
    chmodSync(folder, 0o755);
    chmodSync(all, 0o755);
    chmodSync(data('sub/closed'), 0o000);
    symlinkSync('/etc', data('away'));
    makeFifo(data('pipe'));
    const found = await asNobody(() => withContext((context) => findings(context)));
    expect(found.map(({ severity }) => severity)).toEqual(['ok', 'fail', 'warn', 'info']);
    expect(found.map(({ what }) => what).join('\n')).toMatch(/4 entries.*\n.*sub\/closed.*\n.*: away\n.*: pipe$/);
    chmodSync(data('sub/closed'), 0o600);
    const fine = await withContext((context) => findings(context, { outsideLinks: true, exclude: ['pipe'] }));
    expect(fine.map(({ severity }) => severity)).toEqual(['ok']);
    const nothing = await withContext((context) => findings(context, { include: ['none'] }));
    expect(nothing).toMatchObject([{ severity: 'fail', what: expect.stringContaining('nothing to back up') }]);
  });

  it('measures beforehand what comes, to the byte', async () => {
    makeNastyTree(data(''));
    const { bytes, totalBytes } = await dump();
    expect(bytes.length).toBe(totalBytes);
    const inspection = await withContext((context) => sourceOf().inspect(context));
    expect(inspection.estimatedBytes).toBe(totalBytes);
  });

  it('leaves sockets and pipes out, and says so', async () => {
    mkdirSync(data(''));
    makeFifo(data('pipe'));
    writeFileSync(data('file'), 'x');
    const server = createServer().listen(data('socket'));
    await once(server, 'listening');
    const { bytes, lines, contents } = await dump();
    server.close();
    expect(namesIn(bytes)).toEqual(['./', 'file']);
    expect(lines.join()).toMatch(/pipe is a socket, a pipe or a device.*socket is a/);
    expect(contents?.properties).toMatchObject({ skipped: ['pipe', 'socket'] });
  });

  it('takes only what is included, with the folders that lead there, and nothing that is excluded', async () => {
    for (const name of ['logs', 'a/b/c', 'docs/deep']) mkdirSync(data(name), { recursive: true });
    for (const name of ['logs/x.log', 'a/b/c/x.txt', 'a/x.bin', 'docs/deep/y.bin', 'docs/z.tmp', 'w.txt']) {
      writeFileSync(data(name), name);
    }
    const { bytes, contents } = await dump({ include: ['docs', '*.txt'], exclude: ['*.tmp'] });
    const folders = ['./', 'a/', 'a/b/', 'a/b/c/', 'docs/', 'docs/deep/'];
    expect([...namesIn(bytes)].sort()).toEqual([...folders, 'a/b/c/x.txt', 'docs/deep/y.bin', 'w.txt'].sort());
    expect(contents?.properties).toMatchObject({ include: ['docs', '*.txt'], exclude: ['*.tmp'] });
  });

  it('F33 is read by the standard tar, whatever the names, and by us what tar has made', async () => {
    makeNastyTree(data(''));
    const wanted = fingerprintOfTree(data(''));
    writeFileSync(join(folder, 'ours.tar'), (await dump()).bytes);
    mkdirSync(join(folder, 'by tar'));
    const { stderr } = await run('tar', ['--numeric-owner', '-xpf', 'ours.tar', '-C', 'by tar'], { cwd: folder });
    expect(stderr).not.toMatch(/error|Cannot/i);
    expect(fingerprintOfTree(join(folder, 'by tar'))).toEqual(wanted);
    for (const kind of ['posix', 'gnu']) {
      await run('tar', [`--format=${kind}`, '-cf', `${kind}.tar`, '-C', 'data', '.'], { cwd: folder });
      await restore(readFileSync(join(folder, `${kind}.tar`)), { path: kind });
      const found = fingerprintOfTree(join(folder, kind));
      // The old format has whole seconds and none before 1970.
      if (kind === 'posix') expect(found).toEqual(wanted);
      else expect(withoutTimes(found)).toEqual(withoutTimes(wanted));
    }
  });

  it('brings holes back as holes', async () => {
    mkdirSync(data(''));
    writeFileSync(data('sparse'), 'x');
    truncateSync(data('sparse'), 64 * mebibyte);
    await restore((await dump()).bytes);
    const { size, blocks } = statSync(join(folder, 'target/sparse'));
    expect(size).toBe(64 * mebibyte);
    expect(blocks * 512).toBeLessThan(mebibyte);
  });
});

function withoutTimes(fingerprint: unknown): unknown {
  return (fingerprint as unknown[][]).map(([first, ...rest]) =>
    Array.isArray(first)
      ? [first, ...rest].map((each) => withoutTime(each as string[]))
      : withoutTime([first, ...rest] as string[]),
  );
}

function withoutTime(facts: readonly string[]): readonly string[] {
  return facts.filter((_, index) => index !== 4);
}

interface Hostile {
  readonly path: string;
  readonly type?: 'file' | 'folder' | 'symlink' | 'hardlink';
  readonly linkPath?: string;
  readonly mode?: number;
  readonly flag?: string;
}

function archiveOf(...entries: readonly Hostile[]): Buffer {
  const blocks = entries.map(({ path, type = 'file', linkPath = '', mode = 0o644, flag }) => {
    const size = type === 'file' && flag === undefined ? 3 : 0;
    const numbers = { mode, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, size, mtimeNs: 0n };
    const header = encodeHeader({ path: Buffer.from(path), type, ...numbers, linkPath: Buffer.from(linkPath) });
    if (flag !== undefined) {
      header.write(flag, 156);
      header.write('        ', 148);
      header.write(
        `${header
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
        148,
      );
    }
    return size === 0 ? header : Buffer.concat([header, Buffer.from('bad'), Buffer.alloc(paddingOf(size))]);
  });
  return Buffer.concat([...blocks, endOfArchive]);
}

describe('hostile archives', () => {
  const link = { type: 'symlink' as const };
  it.each<[string, readonly Hostile[]]>([
    ['an absolute name', [{ path: '/tmp/dbbackup-was-here' }]],
    ['a name that climbs', [{ path: '../was-here' }]],
    ['a name that climbs later', [{ path: 'a/../../was-here' }]],
    ['a file through a link', [{ path: 'l', ...link, linkPath: '..' }, { path: 'l/was-here' }]],
    ['a file in the place of a link', [{ path: 'l', ...link, linkPath: 'x' }, { path: 'l' }]],
    ['a folder in the place of a link', [{ path: 'l', ...link, linkPath: '.' }, { path: 'l/x' }]],
    ['a file twice', [{ path: 'a' }, { path: './a' }]],
    ['a file as a folder', [{ path: 'a' }, { path: 'a/b' }]],
    ['a link that leads out', [{ path: 'l', ...link, linkPath: '/etc' }]],
    ['a link that climbs', [{ path: 'l', ...link, linkPath: 'x/../../..' }]],
    ['a hard link out', [{ path: 'h', type: 'hardlink', linkPath: '../victim' }]],
    ['a hard link to /etc/passwd', [{ path: 'h', type: 'hardlink', linkPath: '/etc/passwd' }]],
    [
      'a hard link to a link',
      [
        { path: 'l', ...link, linkPath: 'x' },
        { path: 'h', type: 'hardlink', linkPath: 'l' },
      ],
    ],
    ['a character device', [{ path: 'd', flag: '3' }]],
    ['a block device', [{ path: 'd', flag: '4' }]],
    ['a pipe', [{ path: 'd', flag: '6' }]],
    ['a sparse file of GNU tar', [{ path: 'd', flag: 'S' }]],
  ])('F34 %s is refused, and nothing is left behind', async (_what, entries) => {
    writeFileSync(join(folder, 'victim'), 'as it was');
    mkdirSync(join(folder, 'target'));
    writeFileSync(join(folder, 'target/old'), 'old');
    const before = fingerprintOfTree(folder);
    await expect(restore(archiveOf(...entries), {}, true)).rejects.toMatchObject({ code: 'TARGET_FAILED' });
    expect(withoutTimes([fingerprintOfTree(folder)])).toEqual(withoutTimes([before]));
    expect(readdirSync(folder).sort()).toEqual(['target', 'victim']);
    expect(existsSync('/tmp/dbbackup-was-here')).toBe(false);
  });

  it('links that lead out are restored where that was said to be meant', async () => {
    const archive = archiveOf({ path: 'l', ...link, linkPath: '/etc/hostname' });
    await restore(archive, { outsideLinks: true });
    expect(readlinkSync(join(folder, 'target/l'))).toBe('/etc/hostname');
  });

  it('an absolute link into the folder itself is no link out', async () => {
    await restore(archiveOf({ path: 'l', ...link, linkPath: join(folder, 'target/releases/5') }));
    expect(readlinkSync(join(folder, 'target/l'))).toContain('releases/5');
  });

  it('drops setuid unless told', async () => {
    const archive = archiveOf({ path: 'su', mode: 0o6755 });
    expect((await restore(archive)).warnings).toEqual([expect.stringContaining('1 files have lost their setuid')]);
    expect(statSync(join(folder, 'target/su')).mode & 0o7777).toBe(0o755);
    expect((await restore(archive, { path: 'other', setuid: true })).warnings).toEqual([]);
    expect(statSync(join(folder, 'other/su')).mode & 0o7777).toBe(0o6755);
  });
});

describe('the target', () => {
  const archive = archiveOf({ path: 'new' });
  function oldTarget(): void {
    mkdirSync(join(folder, 'target'));
    writeFileSync(join(folder, 'target/old'), 'old');
  }

  it('is replaced as a whole, and what was there is gone', async () => {
    oldTarget();
    await restore(archive, {}, true);
    expect(readdirSync(folder)).toEqual(['target']);
    expect(readdirSync(join(folder, 'target'))).toEqual(['new']);
  });

  it('where the source leaves something out, the old folder stays beside it', async () => {
    oldTarget();
    const { warnings } = await restore(archive, { exclude: ['old'] }, true);
    expect(readdirSync(folder).sort()).toEqual(['target', 'target.before-4f9c01']);
    expect(readdirSync(join(folder, 'target.before-4f9c01'))).toEqual(['old']);
    expect(warnings.join()).toContain('target.before-4f9c01');
  });

  it('F24 gets back what a killed restore had moved away, and loses what it had half built', async () => {
    oldTarget();
    const { makeDraft, oldName } = await import('../../src/source/files/draft.ts');
    const dead = String(spawn('true').pid);
    const of = (path: string) => path.replace(`-${process.pid}-`, `-${dead}-`);
    await new Promise((done) => setTimeout(done, 100));
    const draft = await makeDraft(join(folder, 'target'));
    renameSync(draft, of(draft));
    renameSync(join(folder, 'target'), of(oldName(join(folder, 'target'))));
    await expect(restore(archive)).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
    expect(readdirSync(folder)).toEqual(['target']);
    expect(readdirSync(join(folder, 'target'))).toEqual(['old']);
  });

  it('may not be a file, nor lie in a folder that does not exist, nor be a mount point', async () => {
    writeFileSync(join(folder, 'target'), 'a file');
    await expect(restore(archive)).rejects.toThrow('is not a folder');
    await expect(restore(archive, { path: 'no/where' })).rejects.toThrow('does not exist');
    await expect(restore(archive, { path: '/proc' }, true)).rejects.toMatchObject({ code: 'TARGET_IN_USE' });
  });

  it.skipIf(process.env['DBBACKUP_TEST_SKIP_ROOT'] === '1')('F26 a full disk leaves the old data', async () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
    try {
      mkdirSync(join(disk, 'target'));
      writeFileSync(join(disk, 'target/old'), 'old');
      mkdirSync(data(''));
      writeFileSync(data('large'), Buffer.alloc(4 * mebibyte, 'x'));
      const { bytes } = await dump();
      const outcome = restore(bytes, { path: join(disk, 'target') }, true);
      await expect(outcome).rejects.toMatchObject({ code: 'TARGET_FAILED' });
      expect(readdirSync(disk)).toEqual(['target']);
      expect(readdirSync(join(disk, 'target'))).toEqual(['old']);
    } finally {
      await run('umount', [disk]);
    }
  });

  it('keeps modes that forbid even its owner to enter', async () => {
    mkdirSync(data('closed'), { recursive: true });
    writeFileSync(data('closed/file'), 'x');
    chmodSync(data('closed'), 0o000);
    const before = fingerprintOfTree(data(''));
    await restore((await dump()).bytes);
    expect(fingerprintOfTree(join(folder, 'target'))).toEqual(before);
  });
});
