import { describe, expect, it } from 'vitest';
import { destinationTypes } from '../../../../src/destination/all.ts';
import { s3Type } from '../../../../src/destination/s3/s3.ts';
import { parseByteSize } from '../../../../src/value/byte-size.ts';

const keys = { accessKeyId: 'id', secretAccessKey: 'secret' };

describe('options of s3', () => {
  it('is listed, and shows bucket and prefix without a secret', () => {
    expect(destinationTypes.map(({ type }) => type)).toContain('s3');
    const open = (prefix?: string) => s3Type.open({ bucket: 'b', prefix, ...keys }, '/').label;
    expect([open(), open('a/b'), open('a/b/')]).toEqual(['s3://b', 's3://b/a/b', 's3://b/a/b']);
  });

  it.each([
    { bucket: 'b' },
    { bucket: 'b', endpoint: 'https://s3.example.com:9000', ...keys, sessionToken: 't' },
    { bucket: 'b', profile: 'backup', sse: 'aws:kms', kmsKeyId: 'k', storageClass: 'STANDARD_IA' },
    { bucket: 'b', objectLock: { mode: 'COMPLIANCE', days: 30 }, tags: { purpose: 'backup' }, spool: true },
    { bucket: 'b', multipart: { partSize: '16MiB', maxParts: 1000, memory: '64MiB' }, idleTimeout: '30s' },
    { bucket: 'b', multipart: { partSize: '1GiB' }, spool: './spool' },
  ])('takes %j', (options) => {
    expect(s3Type.options.safeParse(options).error?.issues).toBeUndefined();
  });

  it.each([
    [{}, 'bucket'],
    [{ bucket: 'b', color: 'red' }, ''],
    [{ bucket: 'b', accessKeyId: 'id' }, 'secretAccessKey'],
    [{ bucket: 'b', secretAccessKey: 's' }, 'accessKeyId'],
    [{ bucket: 'b', sessionToken: 't' }, 'sessionToken'],
    [{ bucket: 'b', profile: 'p', ...keys }, 'profile'],
    [{ bucket: 'b', kmsKeyId: 'k' }, 'kmsKeyId'],
    [{ bucket: 'b', prefix: '../other' }, 'prefix'],
    [{ bucket: 'b', endpoint: 's3.example.com' }, 'endpoint'],
    [{ bucket: 'b', objectLock: { mode: 'COMPLIANCE', days: 0 } }, 'objectLock.days'],
    [{ bucket: 'b', multipart: { partSize: '4MiB' } }, 'multipart.partSize'],
    [{ bucket: 'b', multipart: { partSize: '6GiB' } }, 'multipart.partSize'],
    [{ bucket: 'b', multipart: { partSize: '200MiB' } }, 'multipart.partSize'],
    [{ bucket: 'b', multipart: { partSize: 8388608 } }, 'multipart.partSize'],
    [{ bucket: 'b', multipart: { maxParts: 10_001 } }, 'multipart.maxParts'],
    [{ bucket: 'b', multipart: { memory: '1MiB' } }, 'multipart.memory'],
    [{ bucket: 'b', tags: Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`t${n}`, 'v'])) }, 'tags'],
  ])('F32 refuses %j at %s', (options, path) => {
    expect(s3Type.options.safeParse(options).error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  it.each([
    ['64MiB', 67_108_864],
    ['1.5 GiB', 1_610_612_736],
    ['10MB', 10_000_000],
    ['7B', 7],
    ['64', undefined],
    ['64 mb', undefined],
    ['-1MiB', undefined],
  ])('reads %s as %s bytes', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });
});
