/**
 * How large bodies go out, where the SDK's own way costs more than it gives: it signs a sha256 of each, and opens a new
 * connection for each to ask first whether it may be sent.
 * Guarantees: a body that goes out unhashed is vouched for by a Content-MD5, which is signed itself, or goes through TLS;
 * a store that refuses this gets signed hashes from then on; once a connection has broken under a body, which hides what
 * the store may have answered, the store is asked before each of them.
 * Source: S3 API reference, "Signature Calculations for the Authorization Header", on UNSIGNED-PAYLOAD.
 */
import type { S3 } from '@aws-sdk/client-s3';
import { failureOf } from './s3-error.ts';

/** Bytes; smaller ones cost nothing either way. */
const largeBytes = 2 ** 20;
const hashHeader = 'x-amz-content-sha256';
const broken = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE']);

interface Request {
  readonly protocol: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

type Next<Arguments, Answer> = (args: Arguments) => Promise<Answer>;

class LargeBodies {
  #unsigned: 'untried' | 'taken' | 'refused' = 'untried';
  #asksFirst = false;

  async send<Arguments extends { request: unknown }, Answer>(
    next: Next<Arguments, Answer>,
    args: Arguments,
  ): Promise<Answer> {
    const request = args.request as Request;
    if (!isLarge(request)) return next(args);
    if (this.#asksFirst) request.headers['Expect'] = '100-continue';
    try {
      return await (this.#unsigned !== 'refused' && isVouchedFor(request)
        ? this.#sendUnsigned(next, args, request)
        : next(args));
    } catch (error) {
      if (broken.has(failureOf(error).code)) this.#asksFirst = true;
      throw error;
    }
  }

  /** What is refused unsigned and taken signed tells of the store; what is refused either way had another reason. */
  async #sendUnsigned<Arguments, Answer>(
    next: Next<Arguments, Answer>,
    args: Arguments,
    { headers }: Request,
  ): Promise<Answer> {
    headers[hashHeader] = 'UNSIGNED-PAYLOAD';
    try {
      const answer = await next(args);
      this.#unsigned = 'taken';
      return answer;
    } catch (error) {
      if (this.#unsigned === 'taken' || !isRefusal(error)) throw error;
      delete headers[hashHeader];
      const answer = await next(args);
      this.#unsigned = 'refused';
      return answer;
    }
  }
}

/** For the whole life of the client. */
export function sendLargeBodies(client: S3): void {
  const bodies = new LargeBodies();
  // Low: after the SDK has said what the headers shall be, and before they are signed.
  const where = { step: 'build', priority: 'low', name: 'largeBodies' } as const;
  client.middlewareStack.add((next) => (args) => bodies.send(next, args), where);
}

/** Streams (spooled parts) are never hashed by the SDK. */
function isLarge({ body }: Request): boolean {
  return Buffer.isBuffer(body) && body.length >= largeBytes;
}

function isVouchedFor({ protocol, headers }: Request): boolean {
  return protocol === 'https:' || headers['content-md5'] !== undefined;
}

function isRefusal(error: unknown): boolean {
  const { status, code } = failureOf(error);
  return code !== 'BadDigest' && (status === 400 || status === 403 || status === 501);
}
