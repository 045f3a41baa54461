import { redact } from '../redact.ts';

/** Longest tail kept for messages, in bytes. */
const tailBytes = 8 * 1024;

/** Remembers the end of what a program said on stderr, in bounded memory however much it says. */
export class StderrTail {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #cut = false;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Cut seldom, so that a flood costs one copy of a few KiB per dozens of chunks.
    if (this.#bytes > 16 * tailBytes) this.#shorten();
  }

  /** The last 8 KiB at most, redacted, without white space around it. */
  text(): string {
    this.#shorten();
    let text = Buffer.concat(this.#chunks).toString('utf8');
    // The first line may begin in the middle of a secret, which `redact` would not know.
    if (this.#cut) text = text.slice(text.indexOf('\n') + 1);
    return redact(text).slice(-tailBytes).trim();
  }

  #shorten(): void {
    // Twice the tail, because the part before it may hold the beginning of a secret.
    const excess = this.#bytes - 2 * tailBytes;
    if (excess <= 0) return;
    const rest = Buffer.from(Buffer.concat(this.#chunks).subarray(excess));
    this.#chunks = [rest];
    this.#bytes = rest.length;
    this.#cut = true;
  }
}
