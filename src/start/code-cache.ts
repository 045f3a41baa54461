/**
 * A file with code that V8 has compiled, beside the script that it was compiled from, as Python keeps its `__pycache__`:
 * whoever can change it can change the script too. V8 checks its version and flags, but neither the script (only its
 * length) nor the code, and dies of damage: so the file names the script's content and carries a hash.
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface CodeCache {
  /** Whose functions it holds. */
  readonly commands: readonly string[];
  /** Of `vm.Script.createCachedData`. */
  readonly code: Buffer;
}

interface Header {
  readonly content: string;
  readonly commands: readonly string[];
  readonly sha256: string;
}

/** Undefined where there is none, or none that is whole and of this content. */
export function readCodeCache(path: string, content: string): CodeCache | undefined {
  try {
    const bytes = readFileSync(path);
    const end = bytes.indexOf('\n');
    const header = JSON.parse(bytes.toString('utf8', 0, end)) as Header;
    const code = bytes.subarray(end + 1);
    if (header.content !== content || header.sha256 !== sha256(code)) return undefined;
    return { commands: header.commands, code };
  } catch {
    return undefined;
  }
}

/** Atomically. Where it cannot be written (a folder of root's, a full disk), the next start is slower, and that is all. */
export function writeCodeCache(path: string, content: string, { commands, code }: CodeCache): void {
  const header: Header = { content, commands, sha256: sha256(code) };
  const temporary = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    replaceFile(path, temporary, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), code]));
  } catch {
    // As said above.
  }
}

function replaceFile(path: string, temporary: string, bytes: Buffer): void {
  try {
    writeFileSync(temporary, bytes, { flag: 'wx' });
    // Whatever the umask: no secret, and of use to everybody who may run the program.
    chmodSync(temporary, 0o644);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
