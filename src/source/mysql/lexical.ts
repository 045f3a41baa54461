/** How the client tells comments and strings from SQL. Source: client/mysql.cc (add_line) of MariaDB and MySQL. */
import { backslash, backtick, dash, exclamation, hash, letterM, slash, star } from '../ascii.ts';

/** MariaDB's first line, which looks like a block comment and is a line. */
const sandbox = '/*M!999999\\-';

/** What begins at `at` with `-`, `#` or `/`. Undefined: too few bytes have come to tell a comment from an operator. */
export function commentAt(text: Buffer, at: number): 'line' | 'block' | 'none' | undefined {
  if (text.length - at < sandbox.length) {
    const few = text.toString('latin1', at);
    if (sandbox.startsWith(few) || few === '-' || few === '--') return undefined;
  }
  const [byte, next, third] = [text[at], text[at + 1], text[at + 2] ?? 0];
  const isSandbox = byte === slash && text.toString('latin1', at, at + sandbox.length) === sandbox;
  if (byte === hash || isSandbox || (byte === dash && next === dash && third <= 0x20)) return 'line';
  // `/*! … */` and `/*M! … */` are statements.
  if (byte === slash && next === star && third !== exclamation && third !== letterM) return 'block';
  return 'none';
}

/**
 * The index behind the closing quote of what stands at `at` and is quoted so. Where the bytes end before: -1 less the
 * index from which to read on.
 */
export function endOfQuoted(text: Buffer, at: number, opening: number): number {
  for (let index = at; index < text.length; index++) {
    const byte = text[index];
    // A doubled quote closes one string and opens the next: the same to us.
    if (byte === opening) return index + 1;
    if (byte !== backslash || opening === backtick) continue;
    if (index + 1 === text.length) return -1 - index;
    index++;
  }
  return -1 - text.length;
}
