/** Programs behind a prefix: a cleaned environment, a session of its own (as behind docker exec), and real ssh, also twice. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { capture, consume, findRemoteProgram, openPrefix, type Prefix, produce } from '../../../src/process/process.ts';
import { registerSecret } from '../../../src/redact.ts';
import { type SftpServer, startSshd } from '../../servers/sftp.ts';
import { sshWords } from '../../servers/ssh-words.ts';

const folder = mkdtempSync(join(tmpdir(), 'dbb-prefix-'));
let server: SftpServer;
beforeAll(async () => {
  server = await startSshd();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const clean = ['env', '-i', `PATH=${process.env['PATH']}`];
/** What it starts is out of reach of our signals. */
const apart = ['sh', '-c', 'exec setsid --wait "$@"', 'sh'];
const ways: readonly (readonly [name: string, shells: number, words: () => readonly string[]])[] = [
  ['env -i', 0, () => clean],
  ['setsid', 0, () => apart],
  ['ssh', 1, () => sshWords(server)],
  ['ssh, ssh', 2, () => [...sshWords(server), ...sshWords(server)]],
];

const nasty = [
  '--help',
  '$(touch x)',
  `it's "q"`,
  'two\nlines\n',
  '',
  ' a  b ',
  '\\n\\',
  '*',
  'Łódź 🙂',
  "'",
  '\t;&|<>#!',
];

/** Processes whose command line holds `text`, zombies left out. */
function running(text: string): readonly string[] {
  const lines = execFileSync('ps', ['-eww', '-o', 'stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(text) && !line.startsWith('Z'));
}

describe.each(ways)('behind %s', (_name, shells, words) => {
  let prefix: Prefix;
  beforeAll(async () => {
    prefix = await openPrefix(words());
  });

  it('counts the shells on the way', () => expect(prefix.shells).toBe(shells));

  it('hands on arguments, environment and input as they are', async () => {
    const script = 'printf "%s|" "$@"; printf "%s" "$VALUE"; printf "<%s>" "$HOME"; cat';
    const args = ['-c', script, 'sh', ...nasty];
    const env = { VALUE: nasty.join(), HOME: undefined };
    const { stdout } = await capture({
      command: 'sh',
      args,
      env,
      prefix,
      stdinPrefix: Buffer.from(`${nasty.join()}\n%s`),
    });
    expect(stdout).toBe(`${nasty.map((each) => `${each}|`).join('')}${nasty.join()}<>${nasty.join()}\n%s`);
  });

  it.each([false, true])('hands on every byte in both directions (larger buffers: %s)', async (largeBuffers) => {
    const bytes = Buffer.concat([Buffer.from('first line\n\0\n'), randomBytes(3_000_000)]);
    const file = join(folder, randomUUID());
    const writer = consume({ command: 'sh', args: ['-c', 'cat > "$1"', 'sh', file], prefix, largeBuffers });
    await pipeline(Readable.from([bytes]), writer.stdin);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    const reader = produce({ command: 'cat', args: ['--', file], prefix, largeBuffers });
    const digest = (content: Buffer) => createHash('sha256').update(content).digest('hex');
    expect(digest(await buffer(reader.stdout))).toBe(digest(bytes));
  });
});

describe.each(ways.slice(0, 3))('behind %s', (_name, _shells, words) => {
  let prefix: Prefix;
  beforeAll(async () => {
    prefix = await openPrefix(words());
  });

  it('shows no secret to whoever lists processes', async () => {
    const [secret, marker] = [`canary-${randomUUID()}`, `marker-${randomUUID()}`];
    registerSecret(secret);
    const looked = join(folder, marker);
    // Until it was seen, however slow the machine is.
    const script = 'i=0; until [ -e "$1" ] || [ $((i += 1)) -gt 500 ]; do sleep 0.1; done; printf %s "$SECRET" | wc -c';
    const args = ['-c', script, 'sh', looked];
    const ending = capture({ command: 'sh', args, env: { SECRET: secret }, prefix });
    let seen = 0;
    for (let over = false; !over; ) {
      over = await Promise.race([ending.then(() => true), new Promise<boolean>((done) => setTimeout(done, 20, false))]);
      expect(running(secret)).toEqual([]);
      seen += running(marker).length;
      if (seen > 0) writeFileSync(looked, '');
    }
    expect(seen).toBeGreaterThan(0);
    expect((await ending).stdout.trim()).toBe(String(secret.length));
  });

  it('tells how it ended: code, words, missing program', async () => {
    const failing = capture({ command: 'sh', args: ['-c', 'echo "no such table" >&2; exit 3'], prefix });
    await expect(failing).rejects.toMatchObject({ toolExitCode: 3, message: expect.stringContaining('no such table') });
    const missing = capture({ command: 'pg_dumpx', args: [], prefix });
    await expect(missing).rejects.toMatchObject({ code: 'TOOL_MISSING', message: expect.stringContaining('pg_dumpx') });
    expect(await findRemoteProgram('pg_dumpx', prefix)).toBeUndefined();
    expect(await findRemoteProgram('sh', prefix)).toMatch(/\/sh$/);
  });

  it('F06 fails when the program there is killed', async () => {
    const program = produce({ command: 'sh', args: ['-c', 'echo some; kill -9 $$'], prefix });
    await expect(buffer(program.stdout)).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  });

  const endings = [
    ['aborted', (abort: AbortController) => abort.abort(new Error('aborted by the test'))],
    ['cut off from us', (_abort: AbortController, pid: number) => process.kill(pid, 'SIGKILL')],
  ] as const;

  it.each(endings)('F23 ends a program that writes, and its children, when it is %s', async (_how, end) => {
    const marker = `marker-${randomUUID()}`;
    const abort = new AbortController();
    const script = 'echo ready; sh -c "sleep 300; echo $1" "$1"; echo late';
    const args = ['-c', script, 'sh', marker];
    const program = produce({ command: 'sh', args, prefix, signal: abort.signal });
    await once(program.stdout, 'readable');
    expect(running(marker).length).toBeGreaterThan(0);
    end(abort, program.pid ?? 0);
    await expect(buffer(program.stdout)).rejects.toThrow();
    await vi.waitUntil(() => running(marker).length === 0, { timeout: 8_000, interval: 50 });
  });

  it('F40 kills a program that reads before its input closes', async () => {
    const [marker, file] = [`marker-${randomUUID()}`, join(folder, randomUUID())];
    const args = ['-c', 'echo ready; cat > /dev/null; echo end > "$1"', marker, file];
    const program = consume({ command: 'sh', args, prefix });
    program.stdin.write(randomBytes(100_000));
    await vi.waitUntil(() => running(marker).length > 0, { timeout: 8_000, interval: 20 });
    program.stdin.destroy(new Error('destroyed by the test'));
    await expect(program.ended).rejects.toThrow('destroyed by the test');
    await vi.waitUntil(() => running(marker).length === 0, { timeout: 8_000, interval: 20 });
    expect(() => readFileSync(file)).toThrow('ENOENT');
  });
});

describe('a prefix that will not do', () => {
  it('is named when its program is missing, or fails', async () => {
    await expect(openPrefix(['dockerx', 'exec'])).rejects.toMatchObject({ code: 'TOOL_MISSING' });
    await expect(openPrefix(['sh', '-c', 'echo no such container >&2; exit 1'])).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      cause: expect.objectContaining({ message: expect.stringContaining('no such container') }),
    });
  });

  it('is refused when something on the way writes', async () => {
    await expect(openPrefix(['sh', '-c', 'echo Welcome; exec "$@"', 'sh'])).rejects.toThrow(
      'changes what programs write',
    );
  });

  it('is explained when it hands on no input', async () => {
    const prefix = await openPrefix(['sh', '-c', 'exec "$@" </dev/null', 'sh']);
    await expect(capture({ command: 'true', args: [], prefix })).rejects.toMatchObject({
      hint: expect.stringContaining('need -i'),
    });
  });
});
