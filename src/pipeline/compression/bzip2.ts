import { DbBackupError } from '../../errors.ts';
import { filter, findProgram } from '../../process/process.ts';
import type { Codec } from './compression.ts';
import { wholeDecoder } from './whole-decoder.ts';

const hint = 'Install it: apt-get install lbzip2 (or bzip2).';

/** Options from the environment would change what the programs do. */
const env = { LBZIP2: undefined, BZIP2: undefined, BZIP: undefined };

/** Bzip2, done by `lbzip2` (all cores) or else `bzip2`. */
export const bzip2: Codec = {
  type: 'bzip2',
  extension: '.bz2',
  levels: { min: 1, max: 9, default: 9 },
  recovery: { command: 'bzip2 -dc', packages: ['bzip2'] },
  compress: async (level, signal) => {
    return filter({ command: await program(), args: ['-z', '-c', `-${level}`], env, signal, missingHint: hint });
  },
  decompress: async (signal) => {
    const decoder = filter({ command: await program(), args: ['-d', '-c'], env, signal, missingHint: hint });
    // Both programs ignore what follows the last stream, and exit 0.
    return wholeDecoder('bzip2', decoder, (_received, tail) => endsWithFooter(tail));
  },
};

async function program(): Promise<string> {
  const path = (await findProgram('lbzip2')) ?? (await findProgram('bzip2'));
  if (path === undefined) throw new DbBackupError('TOOL_MISSING', 'bzip2 needs the program lbzip2 or bzip2', { hint });
  return path;
}

/** A stream ends with a 48-bit magic number (the digits of √π), a 32-bit checksum and up to 7 bits of padding. */
function endsWithFooter(tail: Buffer): boolean {
  if (tail.length === 0) return false;
  const bits = BigInt(`0x${tail.toString('hex')}`);
  return [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].some((padding) => {
    const isPadded = (bits & ((1n << padding) - 1n)) === 0n;
    return isPadded && ((bits >> (padding + 32n)) & 0xffffffffffffn) === 0x177245385090n;
  });
}
