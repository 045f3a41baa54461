import { type BinaryLike, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { DbBackupError } from '../../errors.ts';

/** RFC 7914: N = 2^logN. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** What stands in the header beside a raw key. */
export const noScrypt: ScryptCost = { logN: 0, r: 0, p: 0 };
/** 128 MiB and about half a second; the OWASP cheat sheet's first choice. */
export const defaultScrypt: ScryptCost = { logN: 17, r: 8, p: 1 };
/** Bytes: 128 · N · r · p, which bounds memory and time. */
export const scryptLimit = 512 * 1024 * 1024;

const derive = promisify<BinaryLike, BinaryLike, number, object, Buffer>(scrypt);

/** Throws LIMIT_EXCEEDED before anything is spent. */
export function assertScryptCost({ logN, r, p }: ScryptCost): void {
  const possible = logN >= 1 && r >= 1 && p >= 1 && logN < 16 * r;
  if (possible && 128 * 2 ** logN * r * p <= scryptLimit) return;
  throw new DbBackupError('LIMIT_EXCEEDED', `the file asks for a scrypt cost of logN ${logN}, r ${r}, p ${p}`, {
    hint: `dbbackup spends at most 128·N·r·p = ${scryptLimit} bytes; it never writes more, so the header is not ours.`,
  });
}

/** 32 bytes from a passphrase (its UTF-8 bytes). The same limits as `assertScryptCost`. */
export async function scryptKey(passphrase: string, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
  assertScryptCost(cost);
  const { logN, r, p } = cost;
  return derive(Buffer.from(passphrase, 'utf8'), salt, 32, { N: 2 ** logN, r, p, maxmem: 2 * scryptLimit });
}
