/** Requests in Redis' own protocol (REdis Serialization Protocol). */
import type { Command } from './session.ts';

const lineEnd = Buffer.from('\r\n');

export function request(words: Command): Buffer {
  const bulks = words.map((word) => bulk(Buffer.from(word as string)));
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...bulks]);
}

export function bulk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, lineEnd]);
}
