import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { decryptAes } from '../../../src/crypto/aes-256-gcm/reader.ts';
import { encryptAes } from '../../../src/crypto/aes-256-gcm/writer.ts';
import { decryptAge } from '../../../src/crypto/age/reader.ts';
import { encryptAge } from '../../../src/crypto/age/writer.ts';
import { SealingThread } from '../../../src/crypto/chunk/sealing-thread.ts';
import * as installation from '../../../src/installation.ts';
import { makeWorkplace } from '../../e2e/cli.ts';
import { drive, randomPieces, ring, seal, seededRandom } from './drive.ts';

vi.mock('node:os', async (importOriginal) => ({ ...(await importOriginal<object>()), availableParallelism: () => 2 }));
vi.mock('../../../src/installation.ts', { spy: true });

const long = 20 * 1024 * 1024;
const key = Buffer.alloc(32, 5);
let bytes: Buffer;
beforeAll(() => {
  bytes = randomBytes(long + 70_000);
});
afterEach(() => vi.restoreAllMocks());

const pieces = (size: number) => randomPieces(bytes.subarray(0, size), seededRandom(size), 300_000);

describe('a long stream, sealed in a thread of its own', () => {
  // The last chunk is full, one byte longer, somewhere in a batch.
  const sizes = [long, long + 1, long + 70_000];

  it.each(sizes)('aes-256-gcm gives %i bytes back', async (size) => {
    const seals = vi.spyOn(SealingThread.prototype, 'seal');
    const stage = await encryptAes({ key });
    const file = await seal(stage, pieces(size));
    expect(seals).toHaveBeenCalled();
    const { released, error } = await drive(decryptAes(ring({ keys: [key] }), stage.result()), [file]);
    expect(error).toBeUndefined();
    expect(released.equals(bytes.subarray(0, size))).toBe(true);
  });

  it.each(sizes)('age gives %i bytes back', async (size) => {
    const identity = await generateX25519Identity();
    const stage = await encryptAge({ recipients: [await identityToRecipient(identity)] });
    const file = await seal(stage, pieces(size));
    const { released, error } = await drive(decryptAge(ring({ identities: [identity] }), stage.result()), [file]);
    expect(error).toBeUndefined();
    expect(released.equals(bytes.subarray(0, size))).toBe(true);
  });

  it('F11 fails when its thread dies, and never ends', async () => {
    const place = await makeWorkplace();
    try {
      const dying = place.path('dying-worker.mjs');
      const script =
        "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw new Error('the thread died') });";
      await writeFile(dying, script);
      vi.mocked(installation.builtFile).mockReturnValue(dying);
      const stage = await encryptAes({ key });
      let released = 0;
      const read = async (stream: AsyncIterable<Buffer>) => {
        for await (const chunk of stream) released += chunk.length;
      };
      const source = Readable.from(pieces(long), { objectMode: false });
      await expect(pipeline(source, stage.stream, read)).rejects.toThrow('the thread died');
      expect(released).toBeLessThan(long);
      expect(() => stage.result()).toThrow();
    } finally {
      await place.remove();
    }
  });
});
