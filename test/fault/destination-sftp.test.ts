import { execFile, spawn } from 'node:child_process';
import { appendFile, chmod, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect, promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Leftover } from '../../src/destination/destination.ts';
import type { SftpOptions } from '../../src/destination/sftp/options.ts';
import { sftpType } from '../../src/destination/sftp/sftp.ts';
import {
  codeOf,
  getBytes,
  keysUnder,
  neverAborted,
  putBytes,
  randomNumbers,
  rejectionOf,
  rounds,
  sampleBytes,
  seed,
} from '../contract/destination/sample.ts';
import { makeKey, type SftpServer, startRcloneSftp, startSshd } from '../servers/sftp.ts';

const run = promisify(execFile);
const mebibyte = 2 ** 20;
const key = 'shop/shop_2026-11-20T03-00-00-123Z_4f9c01.sql.zst';
const sample = sampleBytes(12 * mebibyte);

describe('sftp destination', () => {
  let server: SftpServer;
  const open = (options: Partial<SftpOptions> = {}) =>
    sftpType.open({ ...server.options, retries: 4, ...options }, '/');
  const stored = () => join(server.root, 'store');
  const leftovers = async (destination = open()) => {
    const found: Leftover[] = [];
    for await (const leftover of destination.leftovers()) found.push(leftover);
    return found;
  };
  const expectStored = async () => expect((await getBytes(open(), key)).equals(sample)).toBe(true);
  const expectNothing = async () => {
    expect(await keysUnder(open(), '')).toEqual([]);
    expect(await leftovers()).toEqual([]);
  };

  beforeAll(async () => {
    server = await startSshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
  });
  afterEach(async () => {
    await server.start();
    await rm(stored(), { recursive: true, force: true });
  });
  afterAll(() => server.stop());

  it('F20 a connection that drops at 99 % publishes nothing, and what it left is removed', async () => {
    const destination = open();
    await destination.stat('any');
    server.proxy.dropAfter(Math.floor(sample.length * 0.99), 'to-server');
    expect(await rejectionOf(putBytes(destination, key, sample))).toMatchObject({
      code: 'DESTINATION_FAILED',
      retryable: true,
      message: expect.stringMatching(/connection was lost/),
    });
    await expectNothing();
    await putBytes(destination, key, sample);
    await expectStored();
  });

  it('F20 a server that dies leaves a temporary name, which is no object and is found later', async () => {
    const stream = Readable.from(
      (async function* () {
        yield sample.subarray(0, 6 * mebibyte);
        await server.kill();
        yield sample.subarray(6 * mebibyte);
      })(),
      { objectMode: false },
    );
    const put = open({ retries: 1 }).put(key, stream, { signal: neverAborted });
    expect(await rejectionOf(put)).toMatchObject({ code: 'DESTINATION_FAILED', retryable: true });
    await server.start();
    expect(await keysUnder(open(), '')).toEqual([]);
    const found = await leftovers();
    expect(found.map((leftover) => leftover.belongsTo(key))).toEqual([true]);
    for (const leftover of found) await leftover.remove();
    await expectNothing();
  });

  it(
    `a connection that drops anywhere leaves the whole object or none (seed ${seed})`,
    async () => {
      const random = randomNumbers(seed);
      const bytes = sampleBytes(300_000, 3);
      const judge = open();
      for (let round = 0; round < 4 * rounds; round++) {
        const destination = open();
        await destination.stat('any');
        // The answers of a whole put are about 3 kB: so this meets the renaming and what follows too.
        if (round % 2 === 0) server.proxy.dropAfter(random(4_000), 'to-client');
        else server.proxy.dropAfter(random(310_000), 'to-server');
        const outcome = await putBytes(destination, key, bytes).catch(() => undefined);
        server.proxy.dropAfter(Number.POSITIVE_INFINITY, 'to-client');
        server.proxy.dropAfter(Number.POSITIVE_INFINITY, 'to-server');
        expect(await keysUnder(judge, '')).toEqual(outcome === undefined ? [] : [key]);
        if (outcome !== undefined) expect((await getBytes(judge, key)).equals(bytes)).toBe(true);
        for (const leftover of await leftovers(judge)) await leftover.remove();
        await judge.delete(key);
        expect(await readdir(stored())).toEqual([]);
      }
    },
    60_000 + rounds * 8_000,
  );

  it.each([0, 1000, 5 * mebibyte])('goes on reading where a connection dropped after %i bytes', async (bytes) => {
    await putBytes(open(), key, sample);
    const destination = open();
    await destination.stat(key);
    server.proxy.dropAfter(bytes, 'to-client');
    expect((await getBytes(destination, key)).equals(sample)).toBe(true);
    expect((await getBytes(destination, key, 7 * mebibyte)).equals(sample.subarray(7 * mebibyte))).toBe(true);
  });

  it('goes on reading after the server was killed and came back', async () => {
    await putBytes(open(), key, sample);
    const stream = await open().get(key);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
      if (chunks.length === 2) {
        await server.kill();
        setTimeout(() => void server.start(), 300);
      }
      chunks.push(chunk);
    }
    expect(Buffer.concat(chunks).equals(sample)).toBe(true);
  });

  it('F42 gives no mixture when the file was exchanged while the connection was lost', async () => {
    await putBytes(open(), key, sample);
    const stream = await open().get(key);
    const reading = codeOf(buffer(stream));
    server.proxy.cut();
    await rm(join(stored(), key));
    await writeFile(join(stored(), key), sampleBytes(sample.length, 2));
    await utimes(join(stored(), key), 1, 1);
    expect(await reading).toBe('INTEGRITY');
  });

  it('F42 is not content with a file that became shorter', async () => {
    await putBytes(open(), key, sample);
    const stream = await open().get(key);
    const reading = codeOf(buffer(stream));
    await writeFile(join(stored(), key), 'short');
    expect(await reading).toBe('INTEGRITY');
  });

  it('gives up a silent server, and goes on when it answers again', async () => {
    const destination = open({ idleTimeout: 1200, retries: 0 });
    await putBytes(destination, key, sample);
    const release = server.proxy.stall();
    expect(await rejectionOf(destination.stat(key))).toMatchObject({
      code: 'DESTINATION_FAILED',
      retryable: true,
      hint: expect.stringMatching(/idleTimeout/),
    });
    release();
    expect(await destination.stat(key)).toMatchObject({ size: sample.length });
  });

  it('F38 makes files 0600 and folders 0700, and removes folders that became empty', async () => {
    await putBytes(open(), key, sampleBytes(10));
    const modes = await Promise.all([stored(), join(stored(), 'shop'), join(stored(), key)].map((path) => stat(path)));
    expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '700', '600']);
    await open().delete(key);
    expect(await readdir(stored())).toEqual([]);
  });

  it('F34 follows no symbolic link below its folder', async () => {
    await mkdir(stored());
    await mkdir(join(server.folder, 'elsewhere'));
    await symlink(join(server.folder, 'elsewhere'), join(stored(), 'shop'));
    expect(await codeOf(putBytes(open(), key, sampleBytes(10)))).toBe('KEY_UNSAFE');
    expect(await codeOf(open().get(key))).toBe('KEY_UNSAFE');
    expect(await codeOf(open().delete(key))).toBe('KEY_UNSAFE');
    expect(await readdir(join(server.folder, 'elsewhere'))).toEqual([]);
    await symlink('/etc/hostname', join(stored(), 'link'));
    expect(await open().stat('link')).toBeUndefined();
    expect(await codeOf(open().get('link'))).toBe('OBJECT_MISSING');
    expect(await keysUnder(open(), '')).toEqual([]);
  });

  it.skipIf(process.env['DBBACKUP_TEST_SKIP_ROOT'] === '1')('F26 says that the disk is full', async () => {
    await mkdir(stored());
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', stored()]).catch((cause) => {
      throw new Error('this test mounts a tmpfs and needs root; DBBACKUP_TEST_SKIP_ROOT=1 leaves it out', { cause });
    });
    try {
      expect(await codeOf(open().put(key, Readable.from([sample]), { signal: neverAborted }))).toBe('DISK_FULL');
      await expectNothing();
      const refused = await rejectionOf(putBytes(open(), key, sample));
      expect(refused).toMatchObject({ code: 'DISK_FULL', message: expect.stringMatching(/12\.0 MiB expected/) });
      await putBytes(open(), key, sampleBytes(1_000_000));
    } finally {
      await run('umount', [stored()]);
    }
  });

  describe('host key', () => {
    const known = async (text: string): Promise<SftpOptions['knownHosts']> => {
      const file = join(server.folder, 'known');
      await writeFile(file, text);
      return file;
    };
    const fingerprint = async (type: string) =>
      (await run('ssh-keygen', ['-lf', join(server.folder, `host_${type}.pub`)])).stdout.split(' ')[1] ?? '';

    it('refuses one that is not known, and names the way out', async () => {
      const knownHosts = await known('');
      const error = await rejectionOf(putBytes(open({ knownHosts }), key, sampleBytes(10)));
      expect(error).toMatchObject({ code: 'DESTINATION_FAILED', retryable: false });
      const { message, hint = '' } = error as { message: string; hint?: string };
      expect(message).toContain(await fingerprint('ed25519'));
      expect(hint).toContain(`ssh-keyscan -p ${server.proxy.port} -t ed25519 127.0.0.1 >> ${knownHosts}`);
      expect(await readFile(String(knownHosts), 'utf8')).toBe('');
      expect(await readdir(server.root)).toEqual([]);

      await run('sh', ['-c', hint.replace(/.*: (ssh-keyscan .*), or pin.*/, '$1')]);
      await putBytes(open({ knownHosts }), key, sampleBytes(10));
    });

    it('refuses one that has changed or was revoked', async () => {
      await makeKey(join(server.folder, 'other'), 'ed25519');
      const other = (await readFile(join(server.folder, 'other.pub'), 'utf8')).trim();
      const name = `[127.0.0.1]:${server.proxy.port}`;
      const changed = await rejectionOf(open({ knownHosts: await known(`${name} ${other}\n`) }).stat(key));
      expect(changed).toMatchObject({ message: expect.stringMatching(/has changed/), retryable: false });
      const ours = await server.hostKey('ed25519');
      const revoked = open({ knownHosts: await known(`${name} ${ours}\n@revoked * ${ours}\n`) });
      expect(await rejectionOf(revoked.stat(key))).toMatchObject({ message: expect.stringMatching(/revoked/) });
    });

    it.each(['ecdsa', 'rsa'] as const)('asks for the type that is known: %s', async (type) => {
      const knownHosts = await known(`[127.0.0.1]:${server.proxy.port} ${await server.hostKey(type)}\n`);
      await run('ssh-keygen', ['-q', '-H', '-f', String(knownHosts)]);
      expect(await open({ knownHosts }).stat(key)).toBeUndefined();
    });

    it('trusts a pinned fingerprint and no other', async () => {
      const { knownHosts: _, ...bare } = server.options;
      const pinned = (hostFingerprint: string | string[]) => sftpType.open({ ...bare, hostFingerprint }, '/').stat(key);
      expect(await pinned(['SHA256:'.padEnd(50, 'x'), await fingerprint('ed25519')])).toBeUndefined();
      expect(await rejectionOf(pinned('SHA256:'.padEnd(50, 'x')))).toMatchObject({
        message: expect.stringMatching(/is not the pinned/),
      });
    });
  });

  describe('logging in', () => {
    const newKey = async (name: string, passphrase = ''): Promise<string> => {
      const file = join(server.folder, name);
      await makeKey(file, 'rsa', passphrase);
      await appendFile(join(server.folder, 'authorized_keys'), await readFile(`${file}.pub`));
      return file;
    };

    it('takes a key with a passphrase, as a file and as a value', async () => {
      const privateKeyFile = await newKey('locked', 'open sesame');
      expect(await open({ privateKeyFile, passphrase: 'open sesame' }).stat(key)).toBeUndefined();
      const { privateKeyFile: _, ...bare } = server.options;
      const privateKey = await readFile(privateKeyFile, 'utf8');
      expect(await sftpType.open({ ...bare, privateKey, passphrase: 'open sesame' }, '/').stat(key)).toBeUndefined();
      for (const passphrase of [undefined, 'wrong']) {
        const { passphrase: __, ...without } = { ...server.options, passphrase: '' };
        const given = { ...without, privateKeyFile, ...(passphrase === undefined ? {} : { passphrase }) };
        const error = await rejectionOf(sftpType.open(given, '/').stat(key));
        expect(error).toMatchObject({ hint: expect.stringMatching(/passphrase/), retryable: false });
        expect(JSON.stringify(error)).not.toContain('open sesame');
      }
    });

    it('takes a password, and tells no one', async () => {
      const other = await startRcloneSftp({ user: 'tester', password: 'canary-password' });
      try {
        const { privateKeyFile: _, ...bare } = other.options;
        const login = (password: string) => sftpType.open({ ...bare, user: 'tester', password }, '/').stat(key);
        expect(await login('canary-password')).toBeUndefined();
        const error = await rejectionOf(login('canary-wrong'));
        expect(error).toMatchObject({ retryable: false, hint: expect.stringMatching(/passwords/) });
        expect(inspect(error)).not.toContain('canary');
      } finally {
        await other.stop();
      }
    });

    it('takes the keys of an agent', async () => {
      const agent = join(server.folder, 'agent.sock');
      const process = spawn('ssh-agent', ['-D', '-a', agent], { stdio: 'ignore' });
      try {
        for (let tries = 0; tries < 100 && !(await stat(agent).catch(() => undefined)); tries++) await delay(20);
        const env = { ...globalThis.process.env, SSH_AUTH_SOCK: agent };
        await run('ssh-add', ['-q', server.options.privateKeyFile], { env });
        const { privateKeyFile: _, ...bare } = server.options;
        expect(await sftpType.open({ ...bare, agent }, '/').stat(key)).toBeUndefined();
      } finally {
        process.kill();
      }
    });

    it('fails at once when the server takes none of the keys', async () => {
      await makeKey(join(server.folder, 'stranger'), 'ed25519');
      const before = Date.now();
      const error = await rejectionOf(open({ privateKeyFile: join(server.folder, 'stranger') }).stat(key));
      expect(error).toMatchObject({ retryable: false, hint: expect.stringMatching(/authorized_keys/) });
      expect(Date.now() - before).toBeLessThan(10_000);
    });

    it('F38 refuses a private key that others can read', async () => {
      const privateKeyFile = await newKey('open');
      await chmod(privateKeyFile, 0o644);
      expect(await codeOf(open({ privateKeyFile }).stat(key))).toBe('KEY_FILE_UNSAFE');
    });
  });
});

describe('sftp destination, seen by strace', () => {
  const trace = (file: string, ...inject: string[]) => [
    ...['strace', '-f', '-y', '-o', file, '-e', 'trace=fsync,/^(sym)?link(at)?$,unlink,/^rename', ...inject],
  ];

  it('F25 syncs file and folders before it reports success', async () => {
    const file = `/tmp/dbbackup-trace-${process.pid}`;
    const server = await startSshd({ under: trace(file) });
    try {
      await putBytes(sftpType.open(server.options, '/'), key, sampleBytes(1000));
      const calls = (await readFile(file, 'utf8')).split('\n').filter((call) => call.includes(server.root));
      const order = [
        calls.findIndex((call) => /fsync\(.*\.part>/.test(call)),
        calls.findIndex((call) => /link(at)?\(.*\.part".*\.zst"/.test(call)),
        calls.findIndex((call) => /unlink(at)?\(.*\.part"/.test(call)),
        calls.findIndex((call) => /fsync\(.*\/store\/shop>/.test(call)),
        calls.findIndex((call) => /fsync\(.*\/store>/.test(call)),
      ];
      expect(order).not.toContain(-1);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    } finally {
      await server.stop();
      await rm(file, { force: true });
    }
  });

  it('F30 overwrites nothing where the file system has no links', async () => {
    const file = `/tmp/dbbackup-trace-${process.pid}`;
    const server = await startSshd({ under: trace(file, '-e', 'inject=link,linkat:error=EPERM') });
    try {
      const destination = sftpType.open(server.options, '/');
      await putBytes(destination, key, sampleBytes(1000));
      expect(await codeOf(putBytes(destination, key, sampleBytes(1000, 2)))).toBe('OBJECT_EXISTS');
      expect((await getBytes(destination, key)).equals(sampleBytes(1000))).toBe(true);
      const text = await readFile(file, 'utf8');
      expect(text).toMatch(/link.*EPERM/);
      expect(text).toMatch(/rename.*\.part/);
      expect(await readdir(join(server.root, 'store', 'shop'))).toHaveLength(1);
    } finally {
      await server.stop();
      await rm(file, { force: true });
    }
  });
});
