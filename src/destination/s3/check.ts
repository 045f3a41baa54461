/**
 * What is particular to a bucket: versions, locks, rules that delete, and what the store does with conditions and
 * checksums. What it may not be asked is said, not guessed. Leaves nothing behind.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type Finding, fail, failure, info, ok, warn } from '../../finding.ts';
import { MultipartUpload } from './multipart-upload.ts';
import type { Call } from './s3-api.ts';
import { failureOf, s3Error } from './s3-error.ts';
import type { S3Store } from './s3-store.ts';

interface Rule {
  readonly ID?: string;
  readonly Status?: string;
  readonly Prefix?: string;
  readonly Filter?: {
    readonly Prefix?: string;
    readonly Tag?: unknown;
    readonly And?: { readonly Prefix?: string; readonly Tags?: unknown };
  };
  readonly Expiration?: { readonly Days?: number; readonly Date?: Date; readonly ExpiredObjectDeleteMarker?: boolean };
  readonly NoncurrentVersionExpiration?: object;
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation?: number };
}

/** `folder`: a key under which it may write, and removes what it wrote. */
export async function* checkBucket(store: S3Store, folder: string, signal: AbortSignal): AsyncGenerator<Finding> {
  const rules = await ask(
    store,
    signal,
    'the lifecycle rules',
    's3:GetLifecycleConfiguration',
    async (client, options) => {
      const answer = await client.getBucketLifecycleConfiguration({ Bucket: store.options.bucket }, options);
      return (answer.Rules ?? []) as readonly Rule[];
    },
  );
  const ours =
    'finding' in rules ? [] : rules.value.filter((rule) => rule.Status === 'Enabled' && concerns(rule, store));
  yield* versions(store, ours, signal);
  yield await objectLock(store, signal);
  if ('finding' in rules) yield rules.finding;
  else yield* lifecycle(ours);
  for (const look of [conditions, checksums]) {
    const key = `${folder}/${randomUUID()}.state.json`;
    try {
      yield await look(store, key, signal);
    } catch (error) {
      signal.throwIfAborted();
      yield failure(
        s3Error(error, `trying out ${store.label}`),
        'Check the rights of the key and the address of the store.',
      );
      return;
    } finally {
      await store.remove(key).catch(() => undefined);
    }
  }
}

async function* versions(store: S3Store, rules: readonly Rule[], signal: AbortSignal): AsyncGenerator<Finding> {
  const answer = await ask(store, signal, 'whether it keeps versions', 's3:GetBucketVersioning', (client, options) =>
    client.getBucketVersioning({ Bucket: store.options.bucket }, options),
  );
  if ('finding' in answer) yield answer.finding;
  else if (answer.value.Status !== 'Enabled') yield info('the bucket keeps no old versions: what is deleted is gone');
  else if (rules.some((rule) => rule.NoncurrentVersionExpiration))
    yield ok('the bucket keeps old versions for a while');
  else {
    yield warn(
      'the bucket keeps old versions for ever: what retention deletes stays, and is paid for',
      'Add a lifecycle rule with NoncurrentVersionExpiration, say of 30 days.',
    );
  }
}

async function objectLock(store: S3Store, signal: AbortSignal): Promise<Finding> {
  const wanted = store.options.objectLock !== undefined;
  const answer = await ask(
    store,
    signal,
    'whether it can lock objects',
    's3:GetBucketObjectLockConfiguration',
    (client, options) => client.getObjectLockConfiguration({ Bucket: store.options.bucket }, options),
  );
  const enabled = !('finding' in answer) && answer.value.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
  if (enabled)
    return ok(
      wanted
        ? 'the bucket locks objects, as objectLock wants it'
        : 'the bucket could lock objects (objectLock is not set)',
    );
  if ('finding' in answer)
    return wanted
      ? warn(`objectLock is set, and ${answer.finding.what}`, 'Look whether the bucket was made with Object Lock.')
      : answer.finding;
  if (!wanted) return info('the bucket has no Object Lock: who has the key can delete backups');
  return fail(
    'objectLock is set, but the bucket has no Object Lock',
    'Switch it on for the bucket, or leave objectLock out.',
  );
}

async function* lifecycle(rules: readonly Rule[]): AsyncGenerator<Finding> {
  const aborting = rules.find((rule) => rule.AbortIncompleteMultipartUpload);
  const days = aborting?.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
  if (aborting !== undefined && days !== undefined && days < 2) {
    yield warn(
      `unfinished uploads are removed after ${days} day: one that takes longer is lost`,
      'Give the lifecycle rule 7 days.',
    );
  } else if (aborting !== undefined) yield ok(`unfinished uploads of killed runs are removed after ${days} days`);
  else {
    yield warn(
      'no lifecycle rule removes unfinished uploads, which are paid for and shown in no listing',
      'Add a rule with AbortIncompleteMultipartUpload of 7 days, or run `dbbackup cleanup` now and then.',
    );
  }
  for (const rule of rules) {
    const { Days, Date: date } = rule.Expiration ?? {};
    if (Days === undefined && date === undefined) continue;
    const when = Days === undefined ? `on ${date?.toISOString().slice(0, 10)}` : `after ${Days} days`;
    yield warn(
      `the lifecycle rule "${rule.ID ?? ''}" deletes backups ${when}, whatever retention says`,
      'Remove Expiration from the rule, or narrow its prefix.',
    );
  }
}

/** True when the rule reaches objects under our prefix; one that asks for tags is left aside unless we set tags. */
function concerns({ Prefix, Filter }: Rule, store: S3Store): boolean {
  const tagged = Filter?.Tag !== undefined || Filter?.And?.Tags !== undefined;
  if (tagged && store.options.tags === undefined) return false;
  const reach = Prefix ?? Filter?.Prefix ?? Filter?.And?.Prefix ?? '';
  const base = store.under('').Prefix;
  return base.startsWith(reach) || reach.startsWith(base);
}

/** Two writers of one name: the second must lose, on either way of writing. */
async function conditions(store: S3Store, key: string, signal: AbortSignal): Promise<Finding> {
  const body = Buffer.from('{}\n');
  const about = { ...store.at(key), ...store.headers(key, randomUUID()), ...store.contentMd5(md5(body)), Body: body };
  await store.api.call((client, options) => client.putObject(about, options), { signal });
  const put = await refused(() =>
    store.api.call((client, options) => client.putObject({ ...about, IfNoneMatch: '*' }, options), { signal }),
  );
  const multipart = await MultipartUpload.begin(store, key, randomUUID(), signal);
  const complete = await refused(async () => {
    const part = { length: body.length, body: () => body };
    await multipart.put({ part, number: 1, md5: md5(body) }, signal);
    return multipart.complete(signal);
  }).catch(async (error) => {
    await multipart.abort({}).catch(() => {});
    throw error;
  });
  // One that the store has completed is gone.
  if (complete) await multipart.abort({});
  if (put && complete) return ok('the store itself refuses to overwrite (conditional writes)');
  if (complete)
    return ok('the store itself refuses to overwrite, in multipart uploads, which dbbackup then always uses');
  return warn(
    'the store knows no conditional writes: two machines that write one name in the same second could overwrite each other',
    'Names hold the time and a random id, so this needs a broken clock; give every machine a prefix of its own.',
  );
}

/** A body that arrives changed must be refused. */
async function checksums(store: S3Store, key: string, signal: AbortSignal): Promise<Finding> {
  const { checksum } = store.api;
  const wrong =
    checksum === 'md5' ? { ContentMD5: md5(Buffer.from('other')).toString('base64') } : { ChecksumCRC32: 'AAAAAA==' };
  const input = { ...store.at(key), ...store.headers(key, randomUUID()), Body: Buffer.from('{}\n'), ...wrong };
  try {
    // Once: what a line may have changed would be sent again.
    await store.api.call((client, options) => client.putObject(input, options), { signal, retries: 0 });
  } catch (error) {
    signal.throwIfAborted();
    const { code, status } = failureOf(error);
    if (status !== undefined && status >= 400 && status < 500 && status !== 403)
      return ok(`the store refuses bytes that arrive changed (${checksum})`);
    if (code === 'NotImplemented')
      return warn(`the store does not know ${checksum}`, `Set checksum: ${checksum === 'md5' ? 'crc32' : 'md5'}.`);
    throw error;
  }
  return warn(
    `the store takes bytes that do not match their ${checksum}: what changes on the way is found only afterwards`,
    `Try checksum: ${checksum === 'md5' ? 'crc32' : 'md5'}; dbbackup compares the stored object with what it sent in any case.`,
  );
}

/** True when the store said that the object exists; false when it does not know the condition, or ignored it. */
async function refused(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return false;
  } catch (error) {
    const { status, code } = failureOf(error);
    if (status === 412 || status === 409) return true;
    if (status === 501 || code === 'NotImplemented' || status === 400) return false;
    throw error;
  }
}

/** The answer; or a finding where the store does not know the question, or does not let us ask. */
async function ask<T>(
  store: S3Store,
  signal: AbortSignal,
  what: string,
  right: string,
  question: Call<T>,
): Promise<{ readonly value: T } | { readonly finding: Finding }> {
  try {
    return { value: await store.api.call(question, { signal }) };
  } catch (error) {
    signal.throwIfAborted();
    const { code, status } = failureOf(error);
    if (/^(NoSuchLifecycleConfiguration|ObjectLockConfigurationNotFoundError)$/.test(code)) return { value: {} as T };
    if (code === 'AccessDenied' || code === 'Forbidden')
      return { finding: info(`the key may not ask for ${what} (${right})`) };
    if (status === 501 || status === 405 || status === 400 || code === 'NotImplemented') {
      return { finding: info(`the store does not tell ${what}`) };
    }
    throw s3Error(error, `asking ${store.label} for ${what}`);
  }
}

function md5(content: Buffer): Buffer {
  return createHash('md5').update(content).digest();
}
