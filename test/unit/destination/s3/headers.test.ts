/** What the requests that make an object say about it: encryption, class, tags and lock, each where it belongs. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { S3Options } from '../../../../src/destination/s3/options.ts';
import { s3Type } from '../../../../src/destination/s3/s3.ts';
import { neverAborted, putBytes, sampleBytes } from '../../../contract/destination/sample.ts';
import { type HttpFaultProxy, startHttpFaultProxy } from '../../../servers/http-fault-proxy.ts';
import { type SwallowingS3, startSwallowingS3 } from '../../../servers/swallowing-s3.ts';

const key = 'shop/shop_2026-11-20T03-00-00-123Z_4f9c01.sql.zst';
const dayMs = 86_400_000;

let store: SwallowingS3;
let proxy: HttpFaultProxy;

beforeAll(async () => {
  store = await startSwallowingS3();
  proxy = await startHttpFaultProxy(Number(new URL(store.options.endpoint).port));
});
beforeEach(() => {
  proxy.seen.length = 0;
});
afterAll(async () => {
  await proxy.close();
  await store.close();
});

const open = (options: Partial<S3Options>) =>
  s3Type.open({ ...store.options, endpoint: proxy.endpoint, multipart: { partSize: 5 * 2 ** 20 }, ...options }, '/');

/** The headers of the one request that such a method and address have. */
function headersOf(method: string, address: RegExp) {
  const [request, ...others] = proxy.seen.filter((each) => each.method === method && address.test(each.url));
  expect(others).toEqual([]);
  return request?.headers ?? {};
}

const wishes: Partial<S3Options> = {
  sse: 'aws:kms',
  kmsKeyId: 'arn:aws:kms:eu-central-1:1:key/2',
  storageClass: 'STANDARD_IA',
  tags: { purpose: 'backup', 'cost centre': 'a&b' },
  objectLock: { mode: 'GOVERNANCE', days: 30 },
};
const ofAll = {
  'x-amz-server-side-encryption': 'aws:kms',
  'x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:eu-central-1:1:key/2',
  'x-amz-tagging': 'purpose=backup&cost+centre=a%26b',
};

function expectLocked(headers: Readonly<Record<string, unknown>>): void {
  expect(headers['x-amz-object-lock-mode']).toBe('GOVERNANCE');
  const until = Date.parse(String(headers['x-amz-object-lock-retain-until-date']));
  expect(Math.abs(until - Date.now() - 30 * dayMs)).toBeLessThan(dayMs / 24);
}

test('data, whole or in parts: all of them', async () => {
  const destination = open(wishes);
  await putBytes(destination, key, sampleBytes(1000));
  await putBytes(destination, `${key}-large`, sampleBytes(6 * 2 ** 20));
  for (const headers of [headersOf('PUT', /zst\?x-id=PutObject/), headersOf('POST', /zst-large\?uploads/)]) {
    expect(headers).toMatchObject({ ...ofAll, 'x-amz-storage-class': 'STANDARD_IA' });
    expectLocked(headers);
  }
});

test('a sidecar is readable at once, and as locked as its data', async () => {
  await putBytes(open(wishes), `${key}.meta.json`, sampleBytes(1000));
  const headers = headersOf('PUT', /meta\.json/);
  expect(headers).toMatchObject(ofAll);
  expect(headers).not.toHaveProperty('x-amz-storage-class');
  expectLocked(headers);
});

test('a state can be written again', async () => {
  await open(wishes).replace(`${key}.state.json`, sampleBytes(10), { signal: neverAborted });
  const headers = headersOf('PUT', /state\.json/);
  expect(headers).toMatchObject(ofAll);
  expect(Object.keys(headers).filter((name) => /lock|storage-class/.test(name))).toEqual([]);
});

test('without wishes nothing is said, but what was sent is always vouched for', async () => {
  await putBytes(open({}), `${key}-plain`, sampleBytes(6 * 2 ** 20));
  const begin = headersOf('POST', /zst-plain\?uploads/);
  expect(Object.keys(begin).filter((name) => /encryption|class|tagging|lock/.test(name))).toEqual([]);
  for (const part of [1, 2]) {
    const headers = headersOf('PUT', new RegExp(`zst-plain\\?partNumber=${part}&`));
    expect(headers).toHaveProperty('content-md5');
    expect(String(headers.authorization)).toMatch(/SignedHeaders=[^,]*content-md5/);
  }
  expect(headersOf('POST', /zst-plain\?uploadId/)).toMatchObject({ 'if-none-match': '*' });
});

test('what is vouched for by its MD5 is hashed no second time, and sent without asking first', async () => {
  await putBytes(open({}), `${key}-unsigned`, sampleBytes(11 * 2 ** 20));
  for (const part of [1, 2]) {
    const headers = headersOf('PUT', new RegExp(`zst-unsigned\\?partNumber=${part}&`));
    expect(headers).toMatchObject({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', connection: 'keep-alive' });
    expect(headers).not.toHaveProperty('expect');
  }
});

test('checksum: crc32 in place of MD5, for stores that have it', async () => {
  await putBytes(open({ checksum: 'crc32' }), `${key}-crc`, sampleBytes(6 * 2 ** 20));
  expect(headersOf('POST', /zst-crc\?uploads/)).toMatchObject({ 'x-amz-checksum-algorithm': 'CRC32' });
  const part = headersOf('PUT', /zst-crc\?partNumber=1&/);
  expect(part).toHaveProperty('x-amz-checksum-crc32');
  expect(part).not.toHaveProperty('content-md5');
  // Whoever changes bytes without TLS could make another CRC32 for them.
  expect(part).toHaveProperty('x-amz-content-sha256', expect.stringMatching(/^[0-9a-f]{64}$/));
});
