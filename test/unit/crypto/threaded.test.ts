import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { type Duplex, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { decryptAes } from '../../../src/crypto/aes-256-gcm/reader.ts';
import { encryptAes } from '../../../src/crypto/aes-256-gcm/writer.ts';
import { decryptAge } from '../../../src/crypto/age/reader.ts';
import { encryptAge } from '../../../src/crypto/age/writer.ts';
import { SlotThread } from '../../../src/crypto/chunk/slot-thread.ts';
import * as installation from '../../../src/installation.ts';
import { makeWorkplace, type Workplace } from '../../e2e/cli.ts';
import { drive, randomPieces, ring, seal, seededRandom } from './drive.ts';

vi.mock('node:os', async (importOriginal) => ({ ...(await importOriginal<object>()), availableParallelism: () => 2 }));
vi.mock('../../../src/installation.ts', { spy: true });

const long = 8 * 1024 * 1024;
const key = Buffer.alloc(32, 5);
let bytes: Buffer;
beforeAll(() => {
  bytes = randomBytes(long + 70_000);
});
afterEach(() => vi.restoreAllMocks());

const pieces = (from: Buffer) => randomPieces(from, seededRandom(from.length), 300_000);
const decrypt = () => decryptAes(ring({ keys: [key] }), undefined);

describe('a long stream, sealed and opened in threads of their own', () => {
  // The last chunk is full, one byte longer, somewhere in a batch.
  const sizes = [long, long + 1, long + 70_000];

  it.each(sizes)('aes-256-gcm gives %i bytes back, and has measured them', async (size) => {
    const given = vi.spyOn(SlotThread.prototype, 'give');
    const stage = await encryptAes({ key });
    expect(() => stage.sealed()).toThrow('before its stream had ended');
    const file = await seal(stage, pieces(bytes.subarray(0, size)));
    expect(stage.sealed()).toEqual({ bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') });
    const sealing = given.mock.calls.length;
    const { released, error } = await drive(decryptAes(ring({ keys: [key] }), stage.result()), pieces(file));
    expect(error).toBeUndefined();
    expect(released.equals(bytes.subarray(0, size))).toBe(true);
    expect([sealing, given.mock.calls.length - sealing]).toEqual([expect.toSatisfy(isSome), expect.toSatisfy(isSome)]);
  });

  it.each(sizes)('age gives %i bytes back', async (size) => {
    const identity = await generateX25519Identity();
    const stage = await encryptAge({ recipients: [await identityToRecipient(identity)] });
    const file = await seal(stage, pieces(bytes.subarray(0, size)));
    const { released, error } = await drive(decryptAge(ring({ identities: [identity] }), stage.result()), [file]);
    expect(error).toBeUndefined();
    expect(released.equals(bytes.subarray(0, size))).toBe(true);
  });

  it('measures a short stream as well', async () => {
    const stage = await encryptAes({ key });
    const file = await seal(stage, [bytes.subarray(0, 100_000)]);
    expect(stage.sealed()).toEqual({ bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') });
  });
});

describe('F36 a long file, damaged where a thread opens it', () => {
  const stored = 64 * 1024 + 16;
  const at = (chunk: number) => 96 + chunk * stored;
  let file: Buffer;
  beforeAll(async () => {
    file = await seal(await encryptAes({ key }), [bytes]);
  });

  const flipped = (place: number) => {
    const copy = Buffer.from(file);
    copy[place] = (copy[place] as number) ^ 1;
    return copy;
  };
  const without = (chunk: number) => Buffer.concat([file.subarray(0, at(chunk)), file.subarray(at(chunk + 1))]);
  const swapped = () => {
    const [first, second] = [file.subarray(at(90), at(91)), file.subarray(at(91), at(92))];
    return Buffer.concat([file.subarray(0, at(90)), second, first, file.subarray(at(92))]);
  };
  // 8 MiB and 70,000 bytes are 130 chunks; the thread begins with the 33rd.
  it.each([
    ['a flipped bit', () => flipped(at(70) + 5), 70, 'damaged or truncated in chunk 70'],
    ['a flipped bit in a tag', () => flipped(at(101) - 1), 100, 'damaged or truncated in chunk 100'],
    ['a missing chunk', () => without(80), 80, 'damaged or truncated in chunk 80'],
    ['swapped chunks', swapped, 90, 'damaged or truncated in chunk 90'],
    ['an end at a boundary', () => file.subarray(0, at(120)), 120, 'truncated: chunks after chunk 119 are missing'],
    ['an end inside a chunk', () => file.subarray(0, at(120) + 9), 120, 'truncated inside chunk 120'],
    [
      'bytes after the end',
      () => Buffer.concat([file, Buffer.alloc(2 * stored)]),
      129,
      'damaged or truncated in chunk 129',
    ],
  ])('%s is refused, after what was whole and nothing else', async (_, damage, whole, message) => {
    const { released, error } = await drive(decrypt(), pieces(damage()));
    expect(error).toMatchObject({ code: 'INTEGRITY', message: `the encrypted backup is ${message}` });
    expect(released.equals(bytes.subarray(0, whole * 64 * 1024))).toBe(true);
  });

  it('trailing bytes behind a full last chunk are told', async () => {
    const full = await seal(await encryptAes({ key }), [bytes.subarray(0, long)]);
    const longer = Buffer.concat([full, Buffer.alloc(2 * 1024 * 1024)]);
    const { released, error } = await drive(decrypt(), pieces(longer));
    expect(error?.message).toBe('the encrypted backup is malformed: trailing bytes follow chunk 127, the last');
    expect(released.equals(bytes.subarray(0, long))).toBe(true);
  });
});

describe('a reader that is slow', () => {
  // Without a limit all that is left would wait: 32 MB.
  const most = 5 * 1024 * 1024;

  it.each(['sealing', 'opening'])('holds back whoever writes: %s', async (way) => {
    const stage = await encryptAes({ key });
    const content = Buffer.concat([bytes, bytes, bytes, bytes]);
    const input = way === 'sealing' ? content : await seal(await encryptAes({ key }), [content]);
    expect(await mostWaiting(way === 'sealing' ? stage.stream : decrypt(), input)).toBeLessThan(most);
  });

  /** A reader that stops after 6 MB until nothing moves any more. */
  async function mostWaiting(stream: Duplex, input: Buffer): Promise<number> {
    let [written, read] = [0, 0];
    // Slower than the thread, which is what finds the stream waiting for input, and not for the thread.
    async function* source() {
      for (const piece of randomPieces(input, seededRandom(1), 300_000)) {
        written += piece.length;
        await sleep(2);
        yield piece;
      }
    }
    let waiting = 0;
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        const isPast = read < 6e6 && read + chunk.length >= 6e6;
        read += chunk.length;
        if (!isPast) done();
        else
          void standstill(() => written).then(() => {
            waiting = written - read;
            done();
          });
      },
    });
    await pipeline(Readable.from(source(), { objectMode: false, highWaterMark: 1 }), stream, slow);
    expect(waiting).toBeGreaterThan(0);
    return waiting;
  }

  async function standstill(count: () => number): Promise<void> {
    for (let last = -1; last !== count(); ) {
      last = count();
      await sleep(200);
    }
  }
});

describe('F11 a thread that dies', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await makeWorkplace();
  });
  afterAll(() => place.remove());

  it.each([
    ['throws', "throw new Error('the thread died')", 'the thread died'],
    ['exits', 'process.exit(7)', 'ended early, with 7'],
  ])('fails the stream that it served, which never ends: it %s', async (name, death, message) => {
    const dying = place.path(`${name}.mjs`);
    const script = `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { ${death}; });`;
    await writeFile(dying, script);
    const file = await seal(await encryptAes({ key }), [bytes]);
    vi.mocked(installation.builtFile).mockReturnValue(dying);
    const stage = await encryptAes({ key });
    for (const [stream, input] of [
      [stage.stream, bytes],
      [decrypt(), file],
    ] as const) {
      let released = 0;
      const read = async (output: AsyncIterable<Buffer>) => {
        for await (const chunk of output) released += chunk.length;
      };
      const source = Readable.from(pieces(input), { objectMode: false });
      await expect(pipeline(source, stream, read)).rejects.toThrow(message);
      expect(released).toBeLessThan(long);
    }
    expect(() => stage.result()).toThrow();
    expect(() => stage.sealed()).toThrow();
  });
});

function isSome(count: unknown): boolean {
  return typeof count === 'number' && count > 3;
}
