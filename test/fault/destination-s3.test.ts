import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Leftover } from '../../src/destination/destination.ts';
import type { S3Options } from '../../src/destination/s3/options.ts';
import { s3Type } from '../../src/destination/s3/s3.ts';
import { DbBackupError } from '../../src/errors.ts';
import {
  codeOf,
  getBytes,
  interruptedStream,
  keysUnder,
  neverAborted,
  putBytes,
  randomNumbers,
  rejectionOf,
  rounds,
  sampleBytes,
  seed,
  streamOf,
} from '../contract/destination/sample.ts';
import type { HttpFault, SeenRequest } from '../servers/http-fault-proxy.ts';
import { startLyingS3 } from '../servers/lying-s3.ts';
import { freePort } from '../servers/postgres.ts';
import { type S3Server, startS3 } from '../servers/s3.ts';

const mebibyte = 2 ** 20;
const key = 'shop/shop_2026-11-20T03-00-00-123Z_4f9c01.sql.zst';
const threeParts = sampleBytes(12 * mebibyte);
const small: S3Options['multipart'] = { partSize: 5 * mebibyte };

const isPart = ({ method, url }: SeenRequest) => method === 'PUT' && url.includes('partNumber=');
const isBegin = ({ method, url }: SeenRequest) => method === 'POST' && /\?uploads/.test(url);
const isComplete = ({ method, url }: SeenRequest) => method === 'POST' && url.includes('uploadId=');
const isGet = ({ method, url }: SeenRequest) => method === 'GET' && url.includes('x-id=GetObject');

/** Spoils the first `times` requests that match. */
function spoil(matches: (request: SeenRequest) => boolean, fault: HttpFault, times = 1) {
  let left = times;
  return (request: SeenRequest) => (matches(request) && left-- > 0 ? fault : undefined);
}

describe('s3 destination', () => {
  let s3: S3Server;
  const open = (options: Partial<S3Options> = {}) =>
    s3Type.open({ ...s3.options, retries: 3, multipart: small, ...options }, '/');
  const put = (options: Partial<S3Options> = {}, bytes = threeParts) => putBytes(open(options), key, bytes);
  const expectStored = async () => expect((await getBytes(open(), key)).equals(threeParts)).toBe(true);
  const expectNothing = async () => {
    expect(await s3.openUploads()).toEqual([]);
    expect(await keysUnder(open(), '')).toEqual([]);
  };

  beforeAll(async () => {
    s3 = await startS3();
  });
  afterEach(async () => {
    s3.proxy.rule = () => undefined;
    s3.proxy.release();
    await open().delete(key);
  });
  afterAll(() => s3.stop());

  it.each([500, 503])('F15 outlasts bursts of %i', async (status) => {
    const failures = new Map<string, number>();
    s3.proxy.rule = ({ method, url }) => {
      const count = (failures.get(method + url) ?? 0) + 1;
      failures.set(method + url, count);
      return count % 3 === 0 ? undefined : { kind: 'answer', status };
    };
    expect(await put()).toMatchObject({ key, size: threeParts.length });
    s3.proxy.rule = () => undefined;
    await expectStored();
    expect(await s3.openUploads()).toEqual([]);
  });

  it('F15 aborts, and awaits the abort, when a part fails for good', async () => {
    s3.proxy.rule = (request) =>
      request.url.includes('partNumber=2') ? { kind: 'answer', status: 503, body: errorBody('SlowDown') } : undefined;
    expect(await rejectionOf(put())).toMatchObject({
      code: 'DESTINATION_FAILED',
      retryable: true,
      hint: expect.stringMatching(/overloaded/),
    });
    await expectNothing();
  });

  it('F15 says so when the abort fails as well, and the leftover is found later', async () => {
    s3.proxy.rule = (request) =>
      isPart(request) || request.method === 'DELETE' ? { kind: 'answer', status: 503 } : undefined;
    expect(await rejectionOf(put({ retries: 1 }))).toMatchObject({
      message: expect.stringMatching(/could not be removed/),
      exitCode: 4,
    });
    s3.proxy.rule = () => undefined;
    const found = await leftoversOf(open());
    expect(found.map((leftover) => leftover.belongsTo(key))).toEqual([true]);
    for (const leftover of found) await leftover.remove();
    await expectNothing();
  });

  it.each([
    0,
    100_000,
    5 * mebibyte - 1,
  ])('F15 repeats a part whose connection broke after %i bytes', async (afterBytes) => {
    s3.proxy.rule = spoil(isPart, { kind: 'cut-request', afterBytes }, 2);
    await put();
    await expectStored();
  });

  it('F15 hears why a store hangs up on a part: it asks before it sends it again', async () => {
    s3.proxy.rule = (request) => {
      if (!isPart(request)) return undefined;
      if (request.headers.expect === undefined) return { kind: 'cut-request', afterBytes: 100_000 };
      return { kind: 'answer', status: 403, body: errorBody('QuotaExceeded') };
    };
    expect(await codeOf(put())).toBe('DISK_FULL');
    await expectNothing();
  });

  it('signs every byte where a store takes no unsigned bodies', async () => {
    const isUnsigned = ({ headers }: SeenRequest) => headers['x-amz-content-sha256'] === 'UNSIGNED-PAYLOAD';
    s3.proxy.seen.length = 0;
    s3.proxy.rule = (request) =>
      isUnsigned(request) ? { kind: 'answer', status: 403, body: errorBody('AccessDenied') } : undefined;
    await put({ retries: 0, multipart: { ...small, concurrency: 1 } });
    await expectStored();
    const parts = s3.proxy.seen.filter(isPart);
    expect(parts.map(isUnsigned)).toEqual([true, false, false, false]);
  });

  it('F15 gives up a silent connection and goes on with a new one', async () => {
    s3.proxy.rule = spoil(isPart, { kind: 'stall' });
    await put({ idleTimeout: 1500 });
    await expectStored();
  });

  const error200 = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>broken</Message></Error>';
  it.each([
    ['an error body', error200],
    ['an error body that ends in a newline', `${error200}\n`],
    ['an empty body', ''],
    ['an HTML page', '<html><body>Bad gateway</body></html>'],
  ])('F16 takes a completion with 200 and %s for a failure', async (_, body) => {
    s3.proxy.rule = (request) => (isComplete(request) ? { kind: 'answer', status: 200, body } : undefined);
    expect(await codeOf(put({ retries: 1 }))).toBe('DESTINATION_FAILED');
    await expectNothing();

    s3.proxy.rule = spoil(isComplete, { kind: 'answer', status: 200, body });
    await put();
    await expectStored();
  });

  it('F17 recognises its own object when the answer to the completion was lost', async () => {
    s3.proxy.rule = spoil(isComplete, { kind: 'lose-answer' });
    expect(await put()).toMatchObject({ key, size: threeParts.length });
    await expectStored();
    expect(await s3.openUploads()).toEqual([]);
  });

  it('F17 takes the object of another writer for no success of its own', async () => {
    const other = sampleBytes(1000, 2);
    const act = async () => {
      await s3.client.putObject({ Bucket: 'backups', Key: key, Body: other });
    };
    s3.proxy.rule = spoil(isComplete, { kind: 'before', act });
    expect(await codeOf(put())).toBe('OBJECT_EXISTS');
    expect((await getBytes(open(), key)).equals(other)).toBe(true);
    expect(await s3.openUploads()).toEqual([]);
  });

  it('F17 leaves no twin when the answer to the beginning was lost', async () => {
    s3.proxy.rule = spoil(isBegin, { kind: 'lose-answer' }, 2);
    await put();
    await expectStored();
    expect(await s3.openUploads()).toEqual([]);
  });

  it('F17 sends a part again when its answer was lost', async () => {
    s3.proxy.rule = spoil(isPart, { kind: 'lose-answer' }, 3);
    await put();
    await expectStored();
  });

  it('F18 notices bytes that change on the way', async () => {
    s3.proxy.rule = (request) => (isPart(request) ? { kind: 'alter-request', change: flipFirst } : undefined);
    expect(await rejectionOf(put({ retries: 1 }))).toMatchObject({ hint: expect.stringMatching(/Other bytes|lies/) });
    await expectNothing();

    s3.proxy.rule = spoil(isPart, { kind: 'alter-request', change: flipFirst });
    await put();
    await expectStored();
  });

  it('F18 catches a store that keeps other bytes than it was sent', async () => {
    const liar = await startLyingS3();
    try {
      const destination = s3Type.open(
        { ...liar.options, retries: 0, checksum: 'crc32', spool: true, multipart: { ...small, memory: 9 * mebibyte } },
        '/',
      );
      const error = await rejectionOf(putBytes(destination, key, sampleBytes(11)));
      expect(error).toMatchObject({ code: 'DESTINATION_FAILED' });
      expect(inspect(error)).toMatch(/of 11 bytes|other bytes/);
      expect(await destination.stat(key)).toBeUndefined();
    } finally {
      await liar.stop();
    }
  });

  it('F19 refuses an expected size that cannot fit, before it sends anything', async () => {
    const before = s3.proxy.seen.length;
    const stream = streamOf(threeParts);
    const options = { signal: neverAborted, estimatedBytes: 16 * mebibyte };
    const destination = open({ multipart: { ...small, maxParts: 3, uniformParts: true } });
    expect(await rejectionOf(destination.put(key, stream, options))).toMatchObject({
      code: 'DESTINATION_FAILED',
      message: expect.stringMatching(/do not fit: 3 parts/),
      hint: expect.stringMatching(/spool/),
    });
    expect(stream.destroyed).toBe(true);
    expect(s3.proxy.seen).toHaveLength(before);
  });

  it('F19 aborts a stream that outgrows what nobody expected', async () => {
    const options = { signal: neverAborted };
    const destination = open({ multipart: { ...small, maxParts: 2, uniformParts: true } });
    expect(await rejectionOf(destination.put(key, streamOf(threeParts), options))).toMatchObject({
      message: expect.stringMatching(/do not fit/),
    });
    await expectNothing();
  });

  it('spools parts above half the memory to the disk', async () => {
    await put({ spool: true, multipart: { ...small, memory: 9 * mebibyte, concurrency: 2 } });
    await expectStored();
  });

  it('F22 publishes nothing of a stream that fails, after parts were sent', async () => {
    const failure = new DbBackupError('SOURCE_FAILED', 'the dump broke off');
    const stream = interruptedStream(threeParts, () => Promise.reject(failure));
    expect(await rejectionOf(open().put(key, stream, { signal: neverAborted }))).toBe(failure);
    await expectNothing();
  });

  it('F23 awaits the abort of the upload when it is interrupted', async () => {
    const controller = new AbortController();
    const reason = new DbBackupError('INTERRUPTED', 'stopped by the user');
    const stream = interruptedStream(threeParts, () => controller.abort(reason));
    expect(await rejectionOf(open().put(key, stream, { signal: controller.signal }))).toBe(reason);
    await expectNothing();
  });

  it('F24 leaves the open uploads of other programs alone', async () => {
    await s3.beginUpload('shop/other-program.bin');
    expect(await leftoversOf(open())).toEqual([]);
    expect(await s3.openUploads()).toEqual(['shop/other-program.bin']);
    const { Uploads } = await s3.client.listMultipartUploads({ Bucket: 'backups' });
    for (const { Key, UploadId } of Uploads ?? []) {
      await s3.client.abortMultipartUpload({ Bucket: 'backups', Key, UploadId });
    }
  });

  it('goes on reading where the connection broke, or fell silent', async () => {
    await put();
    s3.proxy.rule = spoil(isGet, { kind: 'cut-answer', afterBytes: 3_000_000 }, 3);
    await expectStored();
    s3.proxy.rule = spoil(isGet, { kind: 'stall-answer', afterBytes: 1_000_000 });
    expect((await getBytes(open({ idleTimeout: 1500 }), key, 77)).equals(threeParts.subarray(77))).toBe(true);
  });

  it('F42 notices an object that is exchanged while it is being read', async () => {
    await put();
    const act = async () => {
      await s3.client.putObject({ Bucket: 'backups', Key: key, Body: sampleBytes(threeParts.length, 3) });
    };
    const faults: HttpFault[] = [
      { kind: 'cut-answer', afterBytes: 3_000_000 },
      { kind: 'before', act },
    ];
    s3.proxy.rule = (request) => (isGet(request) ? faults.shift() : undefined);
    expect(await codeOf(getBytes(open(), key))).toBe('INTEGRITY');
  });

  it('F38 explains what is wrong, and shows no secret', async () => {
    const secretAccessKey = 'canary-7f3a-secret';
    const unused = `http://127.0.0.1:${await freePort()}`;
    const refusal = (error: string, status = 403): HttpFault => ({ kind: 'answer', status, body: errorBody(error) });
    const cases: [Partial<S3Options>, HttpFault | undefined, RegExp][] = [
      [{ bucket: 'nowhere' }, undefined, /Create the bucket/],
      [{ secretAccessKey }, undefined, /accessKeyId/],
      [{ endpoint: unused }, undefined, /endpoint/],
      [{ endpoint: s3.proxy.endpoint.replace('http', 'https') }, undefined, /TLS/],
      [{}, refusal('AccessDenied'), /s3:ListBucket/],
      [{}, refusal('RequestTimeTooSkewed'), /clock/],
      [{}, refusal('AuthorizationHeaderMalformed', 400), /region/],
    ];
    for (const [options, fault, hint] of cases) {
      s3.proxy.rule = () => fault;
      const error = await rejectionOf(keysUnder(open({ retries: 1, ...options }), ''));
      expect(error).toMatchObject({ exitCode: 4, hint: expect.stringMatching(hint) });
      expect(inspect(error, { depth: 10 })).not.toMatch(/canary/);
    }
    s3.proxy.rule = ({ method }) => (method === 'HEAD' ? undefined : refusal('QuotaExceeded'));
    expect(await codeOf(put({ retries: 0 }))).toBe('DISK_FULL');
  });

  it(`is whole or not there after any fault (seed ${seed})`, async () => {
    const random = randomNumbers(seed);
    for (let round = 0; round < rounds; round++) {
      const count = 1 + random(6);
      const hit = random(12);
      let index = 0;
      const fault = anyFault(random);
      s3.proxy.rule = () => (index++ >= hit && index <= hit + count ? fault : undefined);
      const outcome = await put({ retries: 2, idleTimeout: 1000 }).then(
        () => 'stored',
        (error: unknown) => error,
      );
      s3.proxy.rule = () => undefined;
      s3.proxy.release();
      if (outcome === 'stored') await expectStored();
      else {
        expect(outcome).toMatchObject({ exitCode: 4 });
        // Where the store was deaf to the undoing as well, the error must say so.
        if (!/could not be removed/.test(inspect(outcome)))
          expect([fault, await open().stat(key)]).toEqual([fault, undefined]);
        for (const leftover of await leftoversOf(open())) await leftover.remove();
      }
      expect(await s3.openUploads()).toEqual([]);
      await open().delete(key);
    }
  }, 600_000);

  it.runIf(process.env['DBBACKUP_TEST_LARGE'] === '1')(
    'sends a stream of unknown length in more than 1,000 parts',
    async () => {
      const big = await startS3({ maxParts: 10_000 });
      try {
        const block = sampleBytes(mebibyte);
        const total = 5500 * mebibyte;
        const stream = Readable.from(repeated(block, total), { objectMode: false });
        const destination = s3Type.open({ ...big.options, multipart: { ...small, uniformParts: true } }, '/');
        const stored = await destination.put(key, stream, { signal: neverAborted });
        expect(stored).toMatchObject({ size: total, etag: expect.stringMatching(/-1100$/) });
        expect(big.proxy.seen.filter(isPart).length).toBeGreaterThanOrEqual(1100);
      } finally {
        await big.stop();
      }
    },
    1_800_000,
  );
});

function anyFault(random: (limit: number) => number): HttpFault {
  const afterBytes = random(6 * mebibyte);
  const faults: HttpFault[] = [
    { kind: 'answer', status: 500 },
    { kind: 'answer', status: 503, body: errorBody('SlowDown') },
    { kind: 'answer', status: 200, body: errorBody('InternalError') },
    { kind: 'cut-request', afterBytes },
    { kind: 'lose-answer' },
    { kind: 'cut-answer', afterBytes: random(300) },
    { kind: 'stall' },
    { kind: 'alter-request', change: flipFirst },
  ];
  return faults[random(faults.length)] ?? { kind: 'lose-answer' };
}

function errorBody(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>as told</Message></Error>`;
}

function flipFirst(chunk: Buffer): Buffer {
  const changed = Buffer.from(chunk);
  changed[0] = (changed[0] ?? 0) ^ 1;
  return changed;
}

function* repeated(block: Buffer, total: number): Generator<Buffer> {
  for (let sent = 0; sent < total; sent += block.length) yield block;
}

async function leftoversOf(destination: ReturnType<typeof s3Type.open>): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for await (const leftover of destination.leftovers()) found.push(leftover);
  return found;
}
