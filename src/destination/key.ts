/**
 * Keys: `/`-separated, relative, plain names. A key may come from a hostile sidecar or listing (F34), so it is checked
 * at the border of every adapter.
 */
import { DbBackupError } from '../errors.ts';

const longest = 1024;

/** True when the key stays inside its destination on every kind of store. */
export function isKey(key: string): boolean {
  return (
    key.length <= longest &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
    !/[\u0000-\u001f\u007f\\]/.test(key) &&
    key.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

/** Throws KEY_UNSAFE unless `isKey`. */
export function assertKey(key: string): void {
  if (!isKey(key)) {
    throw new DbBackupError('KEY_UNSAFE', `unsafe object name ${JSON.stringify(key.slice(0, 200))}`, {
      hint: 'Names are relative, without "..", backslashes or control characters; nothing was read or written.',
    });
  }
}

/** `a/b/` of `a/b/c`; empty for a key without a folder. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

/** `c` of `a/b/c`. */
export function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
