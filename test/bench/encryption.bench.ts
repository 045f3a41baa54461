/**
 * What encryption costs: data that does not compress through the real pipeline (file, meter, none, encrypt, meter,
 * local put), and the same through the shell's `age` and `openssl`. Our put waits until the disk has it all; the shell's
 * redirection does not. BENCH_MB: size (default 1000). BENCH_ROUNDS: counted rounds (default 3).
 */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, it } from 'vitest';
import { encryptAes } from '../../src/crypto/aes-256-gcm/writer.ts';
import { encryptAge } from '../../src/crypto/age/writer.ts';
import type { EncryptStage } from '../../src/crypto/encryption.ts';
import { localType } from '../../src/destination/local/local.ts';
import { codecs } from '../../src/pipeline/compression/all.ts';
import { meter } from '../../src/pipeline/meter.ts';
import { runPipeline } from '../../src/pipeline/run.ts';
import { measure, median } from './measure.ts';

const megabytes = Number(process.env['BENCH_MB'] ?? 1000);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const { signal } = new AbortController();

let folder: string;
let data: string;
let recipient: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-bench-'));
  data = join(folder, 'data');
  for (let written = 0; written < megabytes; written += 1) await appendFile(data, randomBytes(1e6));
  await writeFile(join(folder, 'password'), 'a password for the bench', { mode: 0o600 });
  recipient = await identityToRecipient(await generateX25519Identity());
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('measures', async () => {
  const ways: Record<string, () => Promise<number>> = {
    unencrypted: () => ours(),
    'aes-256-gcm': async () => ours(await encryptAes({ key: randomBytes(32) })),
    age: async () => ours(await encryptAge({ recipients: [recipient] })),
    'shell: cat data | age -r': () => shell(`cat data | age -r ${recipient} > shell.age`),
    'shell: cat data | openssl enc': () =>
      shell('cat data | openssl enc -aes-256-ctr -pbkdf2 -pass file:password > shell.enc'),
  };
  const seconds = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  // In turn: what slows the machine down meanwhile slows all of them. The first round is not counted.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const taken = await way();
      if (round > 0) seconds.get(name)?.push(taken);
    }
  }
  process.stdout.write(`\n${megabytes} MB that do not compress, ${rounds} rounds\n${report(seconds)}\n`);
});

async function ours(encrypt?: EncryptStage): Promise<number> {
  const destination = localType.open({ path: `store-${randomBytes(6).toString('hex')}` }, folder);
  const none = { name: 'compress', stream: await codecs.none.compress(0, signal), result: () => undefined };
  const started = performance.now();
  const stored = meter('meter:stored', { measured: encrypt?.sealed });
  await runPipeline({
    source: createReadStream(data),
    stages: [meter('meter:raw'), none, ...(encrypt ? [encrypt] : []), stored],
    sinks: [{ name: 'disk', consume: (stream, stop) => destination.put('job/backup', stream, { signal: stop }) }],
    signal,
  });
  const taken = (performance.now() - started) / 1000;
  await destination.delete('job/backup');
  return taken;
}

async function shell(command: string): Promise<number> {
  return (await measure({ command, cwd: folder })).seconds;
}

/** Speed against ours without encryption: the median of the ratios, round by round. */
function report(seconds: ReadonlyMap<string, readonly number[]>): string {
  const base = seconds.get('unencrypted') ?? [];
  const lines = [...seconds].map(([name, taken]) => {
    const speed = median(taken.map((each, round) => (base[round] ?? 0) / each));
    return `${name.padEnd(32)}${median(taken).toFixed(2).padStart(7)} s  speed ×${speed.toFixed(2)}`;
  });
  return lines.join('\n');
}
