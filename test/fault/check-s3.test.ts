/** The doctor of an S3 destination: at Swift as it is, and with the answers that AWS documents put in between. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { s3Type } from '../../src/destination/s3/s3.ts';
import type { Finding } from '../../src/finding.ts';
import type { HttpFault, SeenRequest } from '../servers/http-fault-proxy.ts';
import { startLyingS3 } from '../servers/lying-s3.ts';
import { type S3Server, startS3 } from '../servers/s3.ts';

let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3?.stop());

async function look(options: object = {}): Promise<readonly string[]> {
  const destination = s3Type.open({ ...s3.options, prefix: 'company', retries: 4, ...options } as never, '/');
  const found: Finding[] = [];
  for await (const finding of destination.check?.('dbbackup-check', new AbortController().signal) ?? [])
    found.push(finding);
  for (const { severity, wayOut } of found)
    if (severity === 'warn' || severity === 'fail') expect(wayOut).toMatch(/\w+/);
  return found.map(({ severity, what }) => `${severity} ${what}`);
}

async function answering(
  answers: Readonly<Record<string, string | number>>,
  options: object = {},
): Promise<readonly string[]> {
  s3.proxy.rule = ({ method, url }: SeenRequest): HttpFault | undefined => {
    const question = method === 'GET' && Object.keys(answers).find((each) => new RegExp(`\\?${each}\\b`).test(url));
    if (!question) return undefined;
    const answer = answers[question];
    if (typeof answer === 'number')
      return { kind: 'answer', status: answer, body: errorBody(answer === 403 ? 'AccessDenied' : 'NotImplemented') };
    return { kind: 'answer', status: 200, body: `<?xml version="1.0" encoding="UTF-8"?>${answer}` };
  };
  try {
    return await look(options);
  } finally {
    s3.proxy.rule = () => undefined;
  }
}

function errorBody(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>as told</Message></Error>`;
}

const versioned = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
const lockable = '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>';
const rules = (...all: string[]) =>
  `<LifecycleConfiguration>${all.map((rule) => `<Rule><Status>Enabled</Status>${rule}</Rule>`).join('')}</LifecycleConfiguration>`;
const abort = (days: number) =>
  `<Filter><Prefix></Prefix></Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>${days}</DaysAfterInitiation></AbortIncompleteMultipartUpload>`;
const expire = (prefix: string) =>
  `<ID>tidy</ID><Filter><Prefix>${prefix}</Prefix></Filter><Expiration><Days>30</Days></Expiration>`;
const old = '<Filter/><NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration>';

describe('the doctor of S3', () => {
  test('tells what a real store does with conditions and checksums, and leaves nothing', async () => {
    const lines = await look();
    expect(lines).toContain(
      'ok the store itself refuses to overwrite, in multipart uploads, which dbbackup then always uses',
    );
    expect(lines).toContain('ok the store refuses bytes that arrive changed (md5)');
    expect(lines.filter((line) => line.startsWith('fail'))).toEqual([]);
    const { KeyCount } = await s3.client.listObjectsV2({ Bucket: s3.options.bucket });
    expect(KeyCount).toBe(0);
    expect(await s3.openUploads()).toEqual([]);
  });

  test.each<[string, Readonly<Record<string, string | number>>, object, RegExp]>([
    ['versions for ever', { versioning: versioned }, {}, /^warn the bucket keeps old versions for ever/],
    [
      'versions for a while',
      { versioning: versioned, lifecycle: rules(old) },
      {},
      /^ok the bucket keeps old versions for a while/,
    ],
    [
      'a lock that is there',
      { 'object-lock': lockable },
      { objectLock: { mode: 'GOVERNANCE', days: 1 } },
      /^ok the bucket locks objects/,
    ],
    [
      'a lock that is missing',
      { 'object-lock': '<ObjectLockConfiguration/>' },
      { objectLock: { mode: 'GOVERNANCE', days: 1 } },
      /^fail objectLock is set, but/,
    ],
    [
      'a rule for unfinished uploads',
      { lifecycle: rules(abort(7)) },
      {},
      /^ok unfinished uploads of killed runs are removed after 7 days/,
    ],
    ['one that is too eager', { lifecycle: rules(abort(1)) }, {}, /^warn unfinished uploads are removed after 1 day/],
    ['none', { lifecycle: rules(expire('elsewhere/')) }, {}, /^warn no lifecycle rule removes unfinished uploads/],
    [
      'a rule that deletes backups',
      { lifecycle: rules(expire('comp')) },
      {},
      /^warn the lifecycle rule "tidy" deletes backups after 30 days/,
    ],
    [
      'questions that are not allowed',
      { versioning: 403 },
      {},
      /^info the key may not ask for whether it keeps versions \(s3:GetBucketVersioning\)/,
    ],
    ['questions that are not known', { lifecycle: 501 }, {}, /^info the store does not tell the lifecycle rules/],
  ])('%s', async (_, answers, options, expected) => {
    expect(await answering(answers, options)).toContainEqual(expect.stringMatching(expected));
  });

  test('a rule for other prefixes is none of ours', async () => {
    expect((await answering({ lifecycle: rules(expire('elsewhere/')) })).join('\n')).not.toMatch(/tidy/);
  });

  test('a wrong key and a bucket that is not there', async () => {
    const destination = (options: object) => look({ ...options });
    await expect(destination({ secretAccessKey: 'wrong-canary-key' })).rejects.toThrow(
      /asking s3:\/\/backups\/company for/,
    );
    await expect(destination({ bucket: 'nowhere' })).rejects.toMatchObject({
      hint: expect.stringMatching(/Create the bucket/),
    });
  });

  test('a store that lies takes bytes with a wrong checksum', async () => {
    const liar = await startLyingS3();
    try {
      const lines = await look({ ...liar.options, prefix: undefined });
      expect(lines).toContainEqual(
        expect.stringMatching(/^warn the store (takes bytes that do not match|knows no conditional writes)/),
      );
    } finally {
      await liar.stop();
    }
  });
});
