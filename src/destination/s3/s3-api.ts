/**
 * The SDK's client, made when first needed, and the one way to call it.
 * Guarantees: a request that failed for a passing reason is repeated after a pause; the SDK repeats nothing by itself,
 * so that there is one budget; the secret key stands in no message.
 */
import { createRequire } from 'node:module';
import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import { registerSecret } from '../../redact.ts';
import { withBackoff } from '../backoff.ts';
import { sendLargeBodies } from './large-bodies.ts';
import type { S3Options } from './options.ts';
import { isPassing, isUnreached } from './s3-error.ts';

const usualRetries = 8;
/** A store that has never answered is more likely a wrong address than a passing trouble. */
const firstContactRetries = 2;
const usualIdleMs = 60_000;
const connectMs = 10_000;
/** More than all parts and reads at a time: who waits for a free connection is soon taken for one who gets none. */
const maxSockets = 128;

export interface CallLimits {
  readonly signal?: AbortSignal;
  /** In place of the configured number. */
  readonly retries?: number;
}

export type Call<T> = (client: S3, options: { abortSignal?: AbortSignal }) => Promise<T>;

export class S3Api {
  readonly retries: number;
  readonly checksum: 'md5' | 'crc32';
  readonly #options: S3Options;
  #client: S3 | undefined;
  #answered = false;

  constructor(options: S3Options) {
    for (const secret of [options.secretAccessKey, options.sessionToken]) if (secret) registerSecret(secret);
    this.#options = options;
    this.retries = options.retries ?? usualRetries;
    this.checksum = options.checksum ?? (options.endpoint === undefined ? 'crc32' : 'md5');
  }

  /** Throws what the SDK throws, or the signal's reason. */
  async call<T>(work: Call<T>, { signal, retries = this.retries }: CallLimits = {}): Promise<T> {
    this.#client ??= makeClient(this.#options, this.checksum);
    const client = this.#client;
    let refused = 0;
    const repeatable = (error: unknown) => {
      if (!isUnreached(error)) this.#answered = true;
      return isPassing(error) && (this.#answered || ++refused <= firstContactRetries);
    };
    const answer = await withBackoff(() => work(client, { abortSignal: signal }), {
      retries,
      passing: repeatable,
      signal,
    });
    this.#answered = true;
    return answer;
  }
}

function makeClient(options: S3Options, checksum: 'md5' | 'crc32'): S3 {
  // The SDK would warn every cron mail of Node 20 about its own plans.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  // Not import(): the SDK is CommonJS, and to search it for the names of its exports takes 30 ms of 90.
  const { S3 } = createRequire(import.meta.url)('@aws-sdk/client-s3') as typeof import('@aws-sdk/client-s3');
  const client = new S3(clientConfig(options, checksum));
  sendLargeBodies(client);
  return client;
}

function clientConfig(options: S3Options, checksum: 'md5' | 'crc32'): S3ClientConfig {
  const { endpoint, accessKeyId, secretAccessKey, sessionToken } = options;
  const region = options.region ?? (endpoint === undefined ? undefined : 'us-east-1');
  const given = accessKeyId !== undefined && secretAccessKey !== undefined;
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(given ? { credentials: { accessKeyId, secretAccessKey, sessionToken } } : {}),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    forcePathStyle: options.pathStyle ?? endpoint !== undefined,
    maxAttempts: 1,
    // CRC32 trailers, the SDK's default, are refused by many compatible stores, or stored as part of the object.
    requestChecksumCalculation: checksum === 'crc32' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
    // What is read is checked by its sha256, whole; the SDK's check knows nothing of ranges.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The store is asked before a body only where it helps: large-bodies.ts.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: connectMs,
      socketTimeout: options.idleTimeout ?? usualIdleMs,
      httpAgent: { maxSockets },
      httpsAgent: { maxSockets },
    },
  };
}
