/**
 * Recovery without dbbackup: someone has the backup's file, its sidecar and the key, and does what the sidecar's
 * `recover` lines say, in an empty folder, with nothing on the PATH but the programs of the packages they name.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillNasty, fingerprintOf } from '../servers/sqlite-nasty.ts';
import { backupsOf } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

const codecs = ['none', 'gzip', 'brotli', 'zstd', 'bzip2'] as const;
const protections = ['plain', 'age', 'aes'] as const;
const matrix = codecs.flatMap((codec, at) =>
  protections.map((protection) => ({ codec, protection, format: at % 2 === 0 ? 'sqlite' : 'sql' })),
);
const passphrase = 'seven blue elephants, päss';

/** What a blank Debian has anyway, and, by package, what a recipe's apt-get line brings. */
const base = ['sh', 'sha256sum', 'mv', 'cp', 'cat', 'rm'];
const programs: Readonly<Record<string, readonly string[]>> = {
  age: ['age'],
  nodejs: ['node'],
  gzip: ['gzip'],
  brotli: ['brotli'],
  zstd: ['zstd'],
  bzip2: ['bzip2'],
  sqlite3: ['sqlite3'],
};

describe('recovery without dbbackup', () => {
  let place: Workplace;
  let original: unknown;
  const stored = new Map<string, string>();

  beforeAll(async () => {
    place = await makeWorkplace({ RECOVERY_PASS: passphrase });
    fillNasty(place.path('shop.sqlite'));
    original = fingerprintOf(place.path('shop.sqlite'));
    const [identity] = events<{ publicPart: string }>(
      expectCode(await place.run('keygen', 'identity.txt', '--json'), 0),
    );
    for (const key of ['old.key', 'new.key']) {
      expectCode(await place.run('keygen', key, '--type', 'aes-256-gcm'), 0);
    }
    const job = (name: string, format: string, codec: string, protection: string) =>
      `  ${name}: { source: shop, destinations: disk, format: ${format}, compression: ${codec}${protection === 'plain' ? '' : `, encryption: ${protection}`} }`;
    const config = (keys: string) => `sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups } }
encryption:
  age: { type: age, recipients: ["${identity?.publicPart}"] }
  aes: { type: aes-256-gcm, ${keys} }
  age-pass: { type: age, passphrase: "\${RECOVERY_PASS}" }
  aes-pass: { type: aes-256-gcm, passphrase: "\${RECOVERY_PASS}" }
jobs:
${matrix.map(({ codec, protection, format }) => job(`${protection}-${codec}`, format, codec, protection)).join('\n')}
${job('age-pass', 'sqlite', 'zstd', 'age-pass')}
${job('aes-pass', 'sqlite', 'zstd', 'aes-pass')}
`;
    await place.configure(config('keyFile: old.key'));
    expectCode(await place.run('run', '--all'), 0);
    // The key was changed since: the kit of today still opens the backups of then.
    await place.configure(config(`keyFile: new.key, previousKeys: ["\${file:old.key}"]`));
    expectCode(await place.run('recovery-kit', 'kit', '--include-key', 'aes', '--include-key', 'aes-pass'), 0);
    for (const { key } of await backupsOf(place)) stored.set(key.split('/')[0] ?? '', place.path('backups', key));
  }, 240_000);
  afterAll(() => place.remove());

  /** An empty folder with the backup, its sidecar and the key; `bin` holds the only programs to be found. */
  async function blankMachine(job: string): Promise<{ folder: string; lines: string[]; env: NodeJS.ProcessEnv }> {
    const file = stored.get(job) ?? '';
    const folder = await mkdtemp(join(place.folder, 'blank-'));
    for (const each of [file, `${file}.meta.json`]) await cp(each, join(folder, basename(each)));
    const { recover } = JSON.parse(await readFile(join(folder, `${basename(file)}.meta.json`), 'utf8')) as {
      recover: string[];
    };
    // What the comment says one must bring along, and nothing else.
    const needs = recover.find((line) => line.startsWith('#')) ?? '';
    const brought = ['identity.txt', 'decrypt.mjs', 'backup.key', 'passphrase.txt'];
    for (const name of brought.filter((each) => needs.includes(each))) {
      await cp(name === 'identity.txt' ? place.path(name) : place.path('kit', name), join(folder, name));
    }
    const bin = await folderOfPrograms(folder, recover.find(isInstall) ?? '');
    return { folder, lines: recover.filter((line) => !isInstall(line)), env: { PATH: bin, TERM: 'xterm' } };
  }

  async function recover(job: string): Promise<string> {
    const { folder, lines, env } = await blankMachine(job);
    const run = spawnSync('/bin/sh', ['-e'], { input: `${lines.join('\n')}\n`, cwd: folder, env, encoding: 'utf8' });
    expect([run.stderr, run.status]).toEqual([expect.any(String), 0]);
    return join(folder, 'restored.sqlite');
  }

  test.each(matrix)('$protection, $codec ($format): the lines restore it', async ({ codec, protection }) => {
    expect(fingerprintOf(await recover(`${protection}-${codec}`))).toEqual(original);
  });

  test('aes-256-gcm with a passphrase: the lines restore it', async () => {
    expect(fingerprintOf(await recover('aes-pass'))).toEqual(original);
  });

  test('age with a passphrase: the lines restore it; age asks on the terminal', async () => {
    const { folder, lines, env } = await blankMachine('age-pass');
    await writeFile(join(folder, 'lines.sh'), `${lines.join('\n')}\n`);
    const child = spawn(whereIs('script'), ['-qec', 'sh -e lines.sh', '/dev/null'], {
      cwd: folder,
      env: { ...env, SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let shown = '';
    let asked = false;
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      if (asked || !shown.includes('passphrase:')) return;
      asked = true;
      child.stdin.write(`${passphrase}\n`);
    });
    const code = await new Promise((done) => child.once('close', done));
    expect([shown, code]).toEqual([expect.any(String), 0]);
    expect(fingerprintOf(join(folder, 'restored.sqlite'))).toEqual(original);
  });

  const readings = [
    ['as a script', ['-e']],
    ['pasted', []],
  ] as const;
  test.each(
    ['plain-zstd', 'age-gzip', 'aes-none'].flatMap((job) => readings.map((reading) => [job, ...reading] as const)),
  )('%s, damaged: the lines, %s, stop before anything is loaded', async (job, _how, flags) => {
    const { folder, lines, env } = await blankMachine(job);
    const [check = ''] = lines.filter((line) => line.includes('sha256sum'));
    const name = basename(stored.get(job) ?? '');
    const bytes = await readFile(join(folder, name));
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
    await writeFile(join(folder, name), bytes);
    const attempts = [lines];
    // Even for somebody who skips the check of the hash, an encrypted file tells by itself.
    if (!job.startsWith('plain')) attempts.push(lines.filter((line) => line !== check));
    for (const attempt of attempts) {
      const input = `${attempt.join('\n')}\n`;
      const run = spawnSync('/bin/sh', flags, { input, cwd: folder, env, encoding: 'utf8' });
      expect(run.status).not.toBe(0);
      expect(run.stdout + run.stderr).toMatch(/FAILED|damaged|failed to decrypt/);
      expect(await readdir(folder)).not.toContain('restored.sqlite');
    }
  });

  test('the lines need no name but those of the file, the key and the kit', async () => {
    const files = new Set((await readdir(place.path('kit'))).concat('identity.txt'));
    expect([...files].sort()).toEqual(['README.txt', 'backup.key', 'decrypt.mjs', 'identity.txt', 'passphrase.txt']);
    for (const [job, file] of stored) {
      const { recover } = JSON.parse(await readFile(`${file}.meta.json`, 'utf8')) as { recover: string[] };
      expect([job, recover.join('\n').match(/dbbackup(?! recovery-kit\))/g)]).toEqual([job, null]);
    }
  });

  test('a kit is asked for the keys of a profile that has none: refused', async () => {
    expect(expectCode(await place.run('recovery-kit', 'none', '--include-key', 'age'), 2).stderr).toContain(
      'holds no secret',
    );
    await rm(place.path('none'), { recursive: true, force: true });
  });
});

/** Links to what the machine has once the recipe's packages are installed. */
async function folderOfPrograms(folder: string, install: string): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const packages = install.replace('apt-get install -y ', '').split(' ');
  for (const program of [...base, ...packages.flatMap((name) => programs[name] ?? [])]) {
    await symlink(program === 'node' ? process.execPath : whereIs(program), join(bin, program));
  }
  return bin;
}

function isInstall(line: string): boolean {
  return line.startsWith('apt-get install');
}

function whereIs(program: string): string {
  return execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' }).trim();
}
