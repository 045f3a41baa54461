/** Encrypted backups through the built program: every kind of key, wrong keys, damage, rotation, prompts, secrets. */
import { execFileSync, spawn } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fillNasty, fingerprintOf } from '../servers/sqlite-nasty.ts';
import { filesIn, processesOf } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Run, type Workplace } from './cli.ts';

interface Made {
  readonly file: string;
  readonly publicPart?: string;
  readonly fingerprint: string;
}

async function keygen(place: Workplace, file: string, type = 'age'): Promise<Made> {
  const [made] = events<Made>(expectCode(await place.run('keygen', file, '--type', type, '--json'), 0));
  if (!made) throw new Error('keygen printed nothing');
  return made;
}

/** The lines of a key file that are no comment. */
async function secretIn(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.find((line) => line !== '' && !line.startsWith('#')) ?? '';
}

function errorOf(run: Run): { code: string; message: string; hint?: string; causes: string[] } {
  const [event] = events<{ error: { code: string; message: string; hint?: string; causes: string[] } }>(run, 'error');
  if (!event) throw new Error(`no error was told: ${run.stdout}${run.stderr}`);
  return event.error;
}

const shopSource = 'sources: { shop: { type: sqlite, path: ./shop.sqlite } }\n';
const disk = 'destinations: { disk: { type: local, path: ./backups } }\n';
const canaries = { AGE_PASS: 'canary-of-age päss', AES_PASS: 'canary-of-aes päss' };

describe('encrypted backups', () => {
  let place: Workplace;
  /** The same state and backups, no config. */
  let elsewhere: string;
  let original: unknown;
  const keys: Record<string, Made> = {};
  const jobs = ['age-one', 'age-two', 'age-pass', 'aes-key', 'aes-file', 'aes-pass'] as const;
  const secrets: string[] = Object.values(canaries);
  let outputs = '';
  let before: Record<string, string>;
  let count = 0;

  const target = () => place.path(`restored-${count++}.sqlite`);
  async function run(...args: string[]): Promise<Run> {
    const done = await place.run(...args);
    outputs += done.stdout + done.stderr;
    return done;
  }
  async function runElsewhere(...args: string[]): Promise<Run> {
    const { ended } = place.start(args, { HOME: elsewhere, DBBACKUP_CONFIG: '', AGE_PASS: '', AES_PASS: '' });
    const done = await ended;
    outputs += done.stdout + done.stderr;
    return done;
  }
  /** The path of a job's only backup, in the folder without a config. */
  async function stored(job: string): Promise<string> {
    const [file] = (await readdir(join(elsewhere, job))).filter((name) => /\.(age|enc)$/.test(name));
    return join(elsewhere, job, file ?? '');
  }

  beforeAll(async () => {
    place = await makeWorkplace(canaries);
    fillNasty(place.path('shop.sqlite'));
    original = fingerprintOf(place.path('shop.sqlite'));
    for (const name of ['one', 'two', 'foreign']) keys[name] = await keygen(place, `${name}.agekey`);
    for (const name of ['value', 'file', 'other']) keys[name] = await keygen(place, `${name}.key`, 'aes-256-gcm');
    for (const { file } of Object.values(keys)) secrets.push(await secretIn(file));
    await place.configure(`${shopSource}${disk}encryption:
  age-one: { type: age, recipients: ["${keys['one']?.publicPart}"], identityFile: one.agekey }
  age-two: { type: age, recipients: ["${keys['one']?.publicPart}", "${keys['two']?.publicPart}"] }
  age-pass: { type: age, passphrase: "\${AGE_PASS}" }
  aes-key: { type: aes-256-gcm, key: "\${file:value.key}" }
  aes-file: { type: aes-256-gcm, keyFile: file.key }
  aes-pass: { type: aes-256-gcm, passphrase: "\${AES_PASS}" }
  absent: { type: aes-256-gcm, key: "\${NOWHERE_TO_BE_HAD}" }
jobs:
${jobs.map((job) => `  ${job}: { source: shop, destinations: disk, encryption: ${job} }`).join('\n')}
`);
    expectCode(await run('run', ...jobs), 0);
    before = await filesIn(place.path('backups'));
    elsewhere = place.path('elsewhere');
    await mkdir(elsewhere, { mode: 0o700 });
    await cp(place.path('backups'), elsewhere, { recursive: true });
    // The config is named where it is wanted, so that the commands without one find none.
    await rename(place.path('dbbackup.yaml'), place.path('config.yaml'));
    place.env['DBBACKUP_CONFIG'] = place.path('config.yaml');
  });
  afterAll(() => place.remove());
  afterEach(() => expect(processesOf(place)).toEqual([]));

  test('list and show tell which key a backup needs, and never more of it', async () => {
    const [listing] = events<{ backups: { key: string; sidecar: { encryption: Record<string, unknown> } }[] }>(
      expectCode(await run('list', '--json'), 0),
    );
    const recorded = Object.fromEntries(
      (listing?.backups ?? []).map(({ key, sidecar }) => [key.split('/')[0], sidecar.encryption]),
    );
    const one = keys['one']?.fingerprint;
    expect(recorded).toMatchObject({
      'age-one': { type: 'age', profile: 'age-one', recipients: [one] },
      'age-two': { recipients: [one, keys['two']?.fingerprint] },
      'age-pass': { type: 'age', passphrase: true },
      'aes-key': { type: 'aes-256-gcm', keyId: keys['value']?.fingerprint },
      'aes-file': { keyId: keys['file']?.fingerprint },
      'aes-pass': { type: 'aes-256-gcm', passphrase: true },
    });
    const table = expectCode(await run('list'), 0).stdout;
    for (const id of [one, keys['value']?.fingerprint]) expect(table).toContain(id?.slice(0, 8));
    expect(expectCode(await run('show', 'aes-key@latest'), 0).stdout).toContain(
      `aes-256-gcm, needs the key ${keys['value']?.fingerprint}`,
    );
    expect(expectCode(await run('show', 'age-two@latest'), 0).stdout).toContain(
      `age, needs one of the keys ${one}, ${keys['two']?.fingerprint}`,
    );
    expect(expectCode(await run('show', 'age-pass@latest'), 0).stdout).toContain('needs the passphrase');
  });

  test('all of them are verified and restored with what the config has', { timeout: 120_000 }, async () => {
    expectCode(await run('verify', '--all', '--quiet'), 0);
    for (const job of jobs) {
      const to = target();
      expectCode(await run('restore', `${job}@latest`, '--to', to), 0);
      expect([job, fingerprintOf(to)]).toEqual([job, original]);
    }
  });

  test.each([
    ['age-one', 'one.agekey'],
    ['age-two', 'two.agekey'],
    ['aes-key', 'value.key'],
    ['aes-file', 'file.key'],
  ])('%s: without a config, --identity restores, verifies and downloads', async (job, identity) => {
    const file = await stored(job);
    const to = target();
    const wrong = ['--identity', place.path('foreign.agekey'), '--identity', place.path('other.key')];
    const right = [...wrong, '--identity', place.path(identity)];
    expectCode(await runElsewhere('restore', file, '--to', to, ...right), 0);
    expect(fingerprintOf(to)).toEqual(original);
    expectCode(await runElsewhere('verify', file, ...right), 0);
    const plain = place.path(`${job}.sqlite`);
    const opening = ['--decrypt', '--decompress', '-o', plain];
    expectCode(await runElsewhere('download', file, ...opening, ...right), 0);
    expect(fingerprintOf(plain)).toEqual(original);
    expect((await stat(plain)).mode & 0o777).toBe(0o600);
    expectCode(await runElsewhere('download', file, '--decrypt', '-o', `${plain}.zst`, ...right), 0);
    expect((await readFile(`${plain}.zst`)).toString('hex', 0, 4)).toBe('28b52ffd');
  });

  test('without its sidecar a backup is opened by what the file itself says', async () => {
    await mkdir(join(elsewhere, 'bare'));
    for (const [job, identity] of [
      ['age-one', 'one.agekey'],
      ['aes-key', 'value.key'],
    ] as const) {
      const bare = join(elsewhere, 'bare', basename(await stored(job)));
      await cp(await stored(job), bare);
      const to = target();
      const done = await runElsewhere('restore', bare, '--to', to, '--identity', place.path(identity));
      expect(expectCode(done, 0).stderr).toContain('has no sidecar');
      expect(fingerprintOf(to)).toEqual(original);
      // As it is stored it can be fetched by who has no key.
      expectCode(await runElsewhere('download', bare, '-o', `${to}.copy`), 0);
      expect(await readFile(`${to}.copy`)).toEqual(await readFile(bare));
      const failed = await runElsewhere('restore', bare, '--to', target(), '--json');
      expect(errorOf(expectCode(failed, 5)).code).toBe('WRONG_KEY');
    }
  });

  test('layers that a hostile file nests are not taken off without end', async () => {
    const nested = join(elsewhere, 'nested.sqlite.zst.age');
    const recipient = keys['one']?.publicPart ?? '';
    execFileSync('age', ['--encrypt', '--recipient', recipient, '--output', nested, await stored('age-one')]);
    const to = target();
    const flags = ['--identity', place.path('one.agekey'), '--json'];
    const refused = errorOf(expectCode(await runElsewhere('restore', nested, '--to', to, ...flags), 5));
    expect(refused).toMatchObject({ code: 'INTEGRITY', message: expect.stringContaining('is called zstd') });
    await expect(stat(to)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('what is downloaded still encrypted needs no key, and cannot be decompressed', async () => {
    const copy = place.path('copy.age');
    expectCode(await runElsewhere('download', await stored('age-one'), '-o', copy), 0);
    expect(await readFile(copy)).toEqual(await readFile(await stored('age-one')));
    const refused = await runElsewhere('download', await stored('age-one'), '--decompress', '-o', target(), '--json');
    expect(errorOf(expectCode(refused, 2)).hint).toContain('--decrypt --decompress');
  });

  describe('a wrong key is told from a damaged file, before the target is touched', () => {
    /** A target that holds data: replaced only by a whole restore. */
    async function fullTarget(): Promise<{ to: string; content: Buffer }> {
      const to = target();
      fillNasty(to);
      return { to, content: await readFile(to) };
    }

    test.each([
      ['age-one', ['--identity', 'foreign.agekey'], /age for [0-9a-f]{16}; the identity at hand does not open it/],
      ['age-one', ['--identity', 'other.key'], /no identity was given/],
      ['age-pass', [], /with a passphrase; no passphrase was given/],
      ['aes-key', ['--identity', 'other.key'], /the key [0-9a-f]{32}; the key at hand does not open it/],
      ['aes-key', [], /no key was given/],
      ['aes-pass', ['--identity', 'other.key'], /with a passphrase; no passphrase was given/],
    ])('%s with %j: WRONG_KEY', async (job, flags, message) => {
      const { to, content } = await fullTarget();
      const identity = flags.map((flag) => (flag.startsWith('--') ? flag : place.path(flag)));
      const file = await stored(job);
      for (const more of [
        ['--clean', '--yes'],
        ['--clean', '--yes', '--dry-run'],
      ]) {
        const failed = await runElsewhere('restore', file, '--to', to, ...identity, ...more, '--json');
        const { code, message: said, causes, hint } = errorOf(expectCode(failed, 5));
        expect(code).toBe('WRONG_KEY');
        expect([said, ...causes].join('\n')).toMatch(message);
        expect(said).toContain('the target was not touched');
        expect(hint).toMatch(/--identity|terminal/);
      }
      expect(await readFile(to)).toEqual(content);
      const verified = await runElsewhere('verify', file, ...identity, '--json');
      if (flags.length > 0) expect(errorOf(expectCode(verified, 5)).code).toBe('WRONG_KEY');
      else expect(expectCode(verified, 8).stdout).toContain('"result":"unopened"');
      // No verdict on the backup: it may be whole.
      const state = await readFile(`${file}.state.json`, 'utf8').catch(() => '');
      expect(state).not.toContain('failed');
    });

    test.each(['age-one', 'aes-file'])('%s, damaged: INTEGRITY, whatever part it is', async (job) => {
      const { to, content } = await fullTarget();
      const identity = ['--identity', place.path(job === 'age-one' ? 'one.agekey' : 'file.key')];
      const whole = await readFile(await stored(job));
      const name = basename(await stored(job));
      await mkdir(join(elsewhere, `damaged-${job}`));
      const damaged = join(elsewhere, `damaged-${job}`, name);
      // In an age file without a sidecar a damaged stanza is one that is for somebody else.
      const damages: [string, Buffer, boolean][] = [
        ['header', flipped(whole, 40), true],
        ...(job === 'age-one' ? [] : [['header', flipped(whole, 40), false] as [string, Buffer, boolean]]),
        ['payload', flipped(whole, whole.length - 100), false],
        ['cut', whole.subarray(0, -1), false],
        ['extended', Buffer.concat([whole, Buffer.from([0])]), false],
        ['payload', flipped(whole, whole.length - 100), true],
      ];
      for (const [what, bytes, withSidecar] of damages) {
        await writeFile(damaged, bytes);
        if (withSidecar) await cp(`${await stored(job)}.meta.json`, `${damaged}.meta.json`);
        else await rm(`${damaged}.meta.json`, { force: true });
        const failed = await runElsewhere('restore', damaged, '--to', to, '--clean', '--yes', '--json', ...identity);
        expect([what, withSidecar, errorOf(expectCode(failed, 5)).code]).toEqual([what, withSidecar, 'INTEGRITY']);
        expect(await readFile(to)).toEqual(content);
      }
      expect(await filesIn(place.path('state', 'tmp'))).toEqual({});
    });
  });

  test('a profile whose key cannot be had hinders nobody, and is told when no other key fits', async () => {
    await writeFile(
      place.path('unset.yaml'),
      `${disk}encryption: { main: { type: aes-256-gcm, key: "\${NOWHERE_TO_BE_HAD}" } }\n`,
      { mode: 0o600 },
    );
    const only = errorOf(
      expectCode(await run('restore', 'aes-key@latest', '--to', target(), '--json', '--config', 'unset.yaml'), 2),
    );
    expect(only.code).toBe('SECRET_UNAVAILABLE');
    expect(only.causes.join('\n')).toMatch(/encryption "main" cannot be used[\s\S]*NOWHERE_TO_BE_HAD/);
    const given = ['--identity', place.path('value.key')];
    const to = target();
    expectCode(await run('restore', 'aes-key@latest', '--to', to, '--config', 'unset.yaml', ...given), 0);
    expect(fingerprintOf(to)).toEqual(original);
  });

  test('a key file that others can read is refused', async () => {
    await cp(place.path('one.agekey'), place.path('open.agekey'));
    await chmod(place.path('open.agekey'), 0o644);
    const flag = ['--identity', place.path('open.agekey')];
    const restored = await runElsewhere('restore', await stored('age-one'), '--to', target(), ...flag, '--json');
    expect(errorOf(expectCode(restored, 2))).toMatchObject({
      code: 'KEY_FILE_UNSAFE',
      hint: expect.stringContaining('chmod 600'),
    });
    await writeFile(
      place.path('open.yaml'),
      `${shopSource}${disk}encryption: { open: { type: aes-256-gcm, keyFile: open.key } }
jobs: { open: { source: shop, destinations: disk, encryption: open } }\n`,
      { mode: 0o600 },
    );
    await cp(place.path('file.key'), place.path('open.key'));
    await chmod(place.path('open.key'), 0o640);
    const backedUp = await run('run', 'open', '--config', 'open.yaml', '--json');
    expect(errorOf(expectCode(backedUp, 2)).code).toBe('KEY_FILE_UNSAFE');
    const opened = await run('restore', 'aes-file@latest', '--to', target(), '--config', 'open.yaml', '--json');
    expect(errorOf(expectCode(opened, 2)).code).toBe('KEY_FILE_UNSAFE');
  });

  describe('a passphrase', () => {
    /** On a pseudo-terminal; types `answer` when asked. */
    async function onTerminal(args: readonly string[], answer: string): Promise<Run> {
      const quoted = [process.execPath, join(import.meta.dirname, '../../bin/dbbackup.js'), ...args]
        .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
        .join(' ');
      const child = spawn('script', ['--quiet', '--return', '--command', quoted, '/dev/null'], {
        cwd: place.folder,
        env: { ...place.env, DBBACKUP_CONFIG: '', HOME: elsewhere, TERM: 'xterm', SHELL: '/bin/sh' },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let shown = '';
      let answered = false;
      child.stdout.on('data', (chunk: Buffer) => {
        shown += chunk.toString();
        if (answered || !shown.includes('Passphrase of the backup')) return;
        answered = true;
        child.stdin.write(answer);
      });
      const [code] = await new Promise<[number | null]>((done) => child.once('close', (status) => done([status])));
      outputs += shown;
      return { code, signal: null, stdout: shown, stderr: '' };
    }

    test.each(['age-pass', 'aes-pass'])('%s: is asked for on a terminal, hidden, once', async (job) => {
      const passphrase = job === 'age-pass' ? canaries.AGE_PASS : canaries.AES_PASS;
      const to = target();
      const done = expectCode(await onTerminal(['restore', await stored(job), '--to', to], `${passphrase}\r`), 0);
      expect(fingerprintOf(to)).toEqual(original);
      expect(done.stdout).not.toContain('canary');
      const wrong = await onTerminal(['restore', await stored(job), '--to', target()], 'not it\r');
      expect(expectCode(wrong, 5).stdout).toContain('does not open it');
    });

    test('Ctrl-C at the prompt ends it as an interruption', async () => {
      const done = await onTerminal(['restore', await stored('aes-pass'), '--to', target()], '\x03');
      expectCode(done, 130);
    });
  });

  test('no secret is in anything that was printed, stored or remembered', async () => {
    expectCode(await run('history', '--json'), 0);
    expectCode(await run('config', 'show'), 0);
    // What every program that was started could be seen with in ps.
    const program = join(import.meta.dirname, '../../bin/dbbackup.js');
    const traced = ['-f', '-qq', '-s', '9999', '-e', 'trace=execve', '-o', place.path('state', 'execve')];
    const command = [process.execPath, program, 'run', 'aes-pass', 'aes-key', 'age-pass'];
    execFileSync('strace', [...traced, ...command], { cwd: place.folder, env: place.env, stdio: 'ignore' });
    for (const text of [...secrets, 'canary-of']) {
      expect(outputs).not.toContain(text);
      for (const folder of ['backups', 'state', 'elsewhere']) {
        for (const file of Object.keys(await filesIn(place.path(folder)))) {
          expect([file, (await readFile(place.path(folder, file))).includes(text)]).toEqual([file, false]);
        }
      }
    }
    const recipients = Object.values(keys).flatMap(({ publicPart }) => publicPart ?? []);
    expect(recipients).toHaveLength(3);
    for (const file of Object.keys(before).filter((name) => name.endsWith('.meta.json'))) {
      const text = await readFile(place.path('backups', file), 'utf8');
      for (const recipient of recipients) expect(text).not.toContain(recipient);
    }
  });
});

function flipped(whole: Buffer, at: number): Buffer {
  const copy = Buffer.from(whole);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
