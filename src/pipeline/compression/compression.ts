/**
 * Contract of a codec, and the list of them. The stored files are ordinary `.gz`, `.br`, `.zst`, `.bz2` files.
 * Decoders are only believed when raw size and raw sha256 match afterwards: Node's gunzip, for one, ends cleanly where
 * zero bytes follow a member.
 */
import type { Duplex } from 'node:stream';

export type CompressionType = 'none' | 'gzip' | 'brotli' | 'zstd' | 'bzip2';

export interface CompressionOptions {
  readonly type: CompressionType;
  /** Within the codec's range; undefined = the codec's default. */
  readonly level?: number;
}

export interface Codec {
  readonly type: CompressionType;
  /** With the dot; empty for `none`. */
  readonly extension: '' | '.gz' | '.br' | '.zst' | '.bz2';
  readonly levels: { readonly min: number; readonly max: number; readonly default: number };
  /** Shell command that decompresses stdin to stdout, and the Debian package that has it. */
  readonly recovery: { readonly command: string; readonly packages: readonly string[] };
  compress(level: number, signal: AbortSignal): Promise<Duplex>;
  /** Fails on damaged or truncated input, and on bytes after the end. */
  decompress(signal: AbortSignal): Promise<Duplex>;
}
