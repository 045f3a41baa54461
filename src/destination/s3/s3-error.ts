/** Errors of the SDK, the network and the store in the words of the program. */
import { DbBackupError } from '../../errors.ts';

const rights =
  'The key needs s3:ListBucket, s3:ListBucketMultipartUploads, s3:GetObject, s3:PutObject, s3:DeleteObject, ' +
  's3:AbortMultipartUpload and s3:ListMultipartUploadParts on this bucket and prefix.';
const wrongKey = 'Check accessKeyId and secretAccessKey (or the profile), and that they belong to this endpoint.';
const wrongRegion = 'Set `region` to that of the bucket.';
const unknownFeature =
  'The store does not know something that was asked for: leave out sse, storageClass, tags or objectLock.';
const badCertificate =
  "The store's certificate is not trusted: for a private authority set NODE_EXTRA_CA_CERTS to its file; never switch the check off.";
const unreachable = 'Check `endpoint`, the network and any firewall between.';

const hints: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Create the bucket, or correct `bucket`; dbbackup makes none.',
  AccessDenied: rights,
  Forbidden: rights,
  AllAccessDisabled: rights,
  InvalidAccessKeyId: wrongKey,
  SignatureDoesNotMatch: wrongKey,
  InvalidToken: wrongKey,
  ExpiredToken: 'The session token has expired: get a new one, or use keys that last.',
  CredentialsProviderError: 'Give accessKeyId and secretAccessKey, a profile, or AWS_ACCESS_KEY_ID in the environment.',
  RequestTimeTooSkewed: "This machine's clock differs from the store's by more than 15 minutes: set it, better by NTP.",
  PermanentRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  NotImplemented: unknownFeature,
  InvalidStorageClass: 'The store does not have this storageClass.',
  InvalidArgument: 'If the provider takes fewer than 10,000 parts, say so in multipart.maxParts.',
  BadDigest: 'Other bytes arrived than were sent: something between here and the store changes them.',
  SlowDown: 'The store is overloaded; try again later, or with fewer multipart.concurrency.',
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  TimeoutError: unreachable,
  ENOTFOUND: 'No such host: check `endpoint`, and with bucket names in the host name set pathStyle: true.',
  EAI_AGAIN: 'The name of the store could not be looked up: check the network and DNS.',
  EPROTO: 'The store does not speak TLS there: check the endpoint (http or https) and its port.',
};

const fullStore = new Set(['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull', 'EDQUOT', 'ENOSPC']);
const passingCodes = new Set([
  ...['SlowDown', 'InternalError', 'ServiceUnavailable', 'RequestTimeout', 'OperationAborted', 'IncompleteBody'],
  ...[
    'BadDigest',
    'XAmzContentSHA256Mismatch',
    'ConditionalRequestConflict',
    'TooManyRequests',
    'RequestLimitExceeded',
  ],
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['TimeoutError', 'ERR_STREAM_PREMATURE_CLOSE'],
]);

interface Failure {
  /** The store's code, or the errno. */
  readonly code: string;
  /** HTTP; undefined when no answer came. */
  readonly status: number | undefined;
  readonly clockCorrected: boolean;
}

/** What can be known of anything thrown by the SDK. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'unknown', status: undefined, clockCorrected: false };
  const { code, $metadata } = error as Error & {
    code?: unknown;
    $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean };
  };
  const status = $metadata?.httpStatusCode;
  const clockCorrected = $metadata?.clockSkewCorrected === true;
  // An answer to HEAD has no body, hence no code.
  if (status === 403 && /^(Unknown|403)/.test(error.name)) return { code: 'AccessDenied', status, clockCorrected };
  return { code: typeof code === 'string' ? code : error.name, status, clockCorrected };
}

/** True when the same request may succeed later by itself. */
export function isPassing(error: unknown): boolean {
  if (error instanceof DbBackupError) return error.retryable;
  const { code, status = 0, clockCorrected } = failureOf(error);
  if (code === 'AbortError' || code === 'NotImplemented') return false;
  return passingCodes.has(code) || clockCorrected || status === 429 || (status >= 500 && status !== 501);
}

/** True when no connection came about at all. */
export function isUnreached(error: unknown): boolean {
  return ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'].includes(failureOf(error).code);
}

/** DISK_FULL or DESTINATION_FAILED for an error of SDK, store or network; an error of ours stays what it is. */
export function s3Error(cause: unknown, action: string): DbBackupError {
  if (cause instanceof DbBackupError) return cause;
  const { code, status } = failureOf(cause);
  const reason = status === undefined ? code : `${code}, HTTP ${status}`;
  if (fullStore.has(code) || status === 507) {
    return new DbBackupError('DISK_FULL', `${action} failed: no space left (${reason})`, {
      cause,
      hint: 'Free some space, raise the quota, or keep fewer backups; nothing unfinished was left under the name.',
    });
  }
  return new DbBackupError('DESTINATION_FAILED', `${action} failed (${reason})`, {
    cause,
    hint: hintFor(code, cause),
    retryable: isPassing(cause),
  });
}

function hintFor(code: string, cause: unknown): string | undefined {
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|^ERR_TLS/.test(code)) return badCertificate;
  if (cause instanceof Error && /region is missing/i.test(cause.message)) return wrongRegion;
  return hints[code];
}
