import { availableParallelism } from 'node:os';
import { Transform } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const gzipBlock = promisify(gzip) as (block: Buffer, options: { level: number; chunkSize: number }) => Promise<Buffer>;

const blockBytes = 1024 * 1024;

/** The thread pool has four threads unless told otherwise. One block more than cores, so that none waits for us. */
const mostInFlight = Math.min(availableParallelism(), 4) + 1;

/**
 * Compresses blocks of 1 MiB side by side in the thread pool and writes them in order, each as a gzip member of its
 * own: members one after the other are one valid file (RFC 1952, 2.2). Costs about 1 % of size against one member.
 */
export class GzipBlocks extends Transform {
  readonly #level: number;
  readonly #inFlight: Promise<Buffer>[] = [];
  #pieces: Buffer[] = [];
  #size = 0;
  #started = false;

  constructor(level: number) {
    super({ highWaterMark: blockBytes });
    this.#level = level;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#pieces.push(chunk);
    this.#size += chunk.length;
    if (this.#size >= blockBytes) this.#start();
    this.#emitUntil(mostInFlight - 1).then(() => done(), done);
  }

  override _flush(done: (error?: Error) => void): void {
    // Even an empty file has one member.
    if (this.#size > 0 || !this.#started) this.#start();
    this.#emitUntil(0).then(() => done(), done);
  }

  #start(): void {
    const member = gzipBlock(Buffer.concat(this.#pieces), { level: this.#level, chunkSize: blockBytes / 2 });
    // Seen when its turn comes; until then, or after a destroy, it is nobody's unhandled rejection.
    member.catch(() => {});
    this.#inFlight.push(member);
    this.#pieces = [];
    this.#size = 0;
    this.#started = true;
  }

  async #emitUntil(remaining: number): Promise<void> {
    while (this.#inFlight.length > remaining && !this.destroyed) {
      this.push(await this.#inFlight.shift());
    }
  }
}
