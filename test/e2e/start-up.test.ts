/** The code that V8 has compiled is remembered beside the program; whatever happens to it, the program is the same. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const exec = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-start-'));
  for (const name of ['bin', 'dist', 'package.json']) {
    const inside = (path: string) => !path.includes('code-cache');
    await cp(join(root, name), join(folder, name), { recursive: true, filter: inside });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const cacheFolder = () => join(folder, 'dist/code-cache');

async function dbbackup(args: readonly string[], options: readonly string[] = []): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: folder, DBBACKUP_STATE_DIR: join(folder, 'state'), NO_COLOR: '1' };
  const all = [...options, join(folder, 'bin/dbbackup.js'), ...args];
  const { stdout, stderr } = await exec(process.execPath, all, { cwd: folder, env });
  expect(stderr).toBe('');
  return stdout;
}

async function remembered() {
  const [name = ''] = await readdir(cacheFolder());
  const path = join(cacheFolder(), name);
  const bytes = await readFile(path);
  const end = bytes.indexOf('\n');
  const header = JSON.parse(bytes.toString('utf8', 0, end)) as { commands: string[] };
  return { path, bytes, end, commands: header.commands, inode: (await stat(path)).ino };
}

it('adds what a command needed when it first succeeds, and then leaves the file alone', async () => {
  const help = await dbbackup(['config', 'schema']);
  expect((await remembered()).commands).toEqual(['config']);
  await dbbackup(['completion', 'bash']);
  const { commands, inode, path } = await remembered();
  expect(commands).toEqual(['config', 'completion']);
  expect((await stat(path)).mode & 0o777).toBe(0o644);

  expect(await dbbackup(['config', 'schema'])).toBe(help);
  await expect(dbbackup(['history', '--no-such-option'])).rejects.toThrow(/no-such-option/);
  expect((await remembered()).inode).toBe(inode);
  expect(await readdir(cacheFolder())).toHaveLength(1);
});

it('takes it again after a command through which bytes have passed', async () => {
  await mkdir(join(folder, 'files'));
  await writeFile(join(folder, 'files/zeros'), Buffer.alloc(20_000_000));
  await writeFile(
    join(folder, 'dbbackup.yaml'),
    `sources: { one: { type: files, path: ./files } }
destinations: { disk: { type: local, path: ./backups } }
jobs: { one: { source: one, destinations: disk } }`,
  );
  await dbbackup(['run', 'one', '--quiet']);
  const { inode } = await remembered();
  await dbbackup(['run', 'one', '--quiet']);
  expect((await remembered()).inode).toBe(inode);
});

it('keeps no path that is given as an option', async () => {
  await dbbackup(['--help']);
  expect((await remembered()).commands).toEqual(['']);
});

it.each([
  'a damaged byte',
  'a lost end',
  'no header',
])('runs without it, and makes it anew, after %s', async (damage) => {
  const help = await dbbackup(['run', '--help']);
  const { path, bytes, end, inode } = await remembered();
  if (damage === 'a damaged byte') bytes[end + 50_000] = (bytes[end + 50_000] ?? 0) ^ 1;
  const left = { 'a damaged byte': bytes, 'a lost end': bytes.subarray(0, -1), 'no header': bytes.subarray(end + 1) }[
    damage
  ];
  await writeFile(path, left ?? '');
  expect(await dbbackup(['run', '--help'])).toBe(help);
  const anew = await remembered();
  expect(anew.inode).not.toBe(inode);
  expect(anew.commands).toEqual(['run']);
});

it('never takes the code of another program, not even of the same length', async () => {
  const help = await dbbackup(['run', '--help']);
  const path = join(folder, 'dist/program.cjs');
  const [first = '', ...lines] = (await readFile(path, 'latin1')).split('\n');
  const other = lines.join('\n').replaceAll('Usage:', 'Uzage:');
  await writeFile(path, `${first.replace(/[0-9a-f]/g, '0')}\n${other}`);
  const otherHelp = await dbbackup(['run', '--help']);
  expect(otherHelp).toHaveLength(help.length);
  expect(otherHelp).toContain('Uzage:');
});

it('makes its own for other flags of V8', async () => {
  await dbbackup(['run', '--help']);
  const { bytes } = await remembered();
  await dbbackup(['run', '--help'], ['--no-opt']);
  expect((await remembered()).bytes.equals(bytes)).toBe(false);
});

it('runs where nothing can be written beside it', async () => {
  await writeFile(cacheFolder(), 'in the way');
  expect(await dbbackup(['run', '--help'])).toContain('Usage:');
  expect(await readFile(cacheFolder(), 'utf8')).toBe('in the way');
});
