/**
 * What sidecars and state files said when they were last read, kept in the state folder so that a long list is quick.
 * Guarantees: an entry is used only for an object whose key, size, time and ETag are those it was read under; a file
 * that is damaged, cut, or not ours alone is passed over and written anew, whole, by a rename; nothing depends on it.
 * Refuses: objects too young to be told apart where the store has no ETag, and very large ones.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StoredObject } from '../../destination/destination.ts';

const header = 'dbbackup sidecar cache 1\n';
/** Bytes of one entry; a sidecar of some 5,000 tables. Larger ones are read every time. */
const entryLimit = 256 * 1024;
/** Bytes of the whole file: about 80,000 usual sidecars. */
const fileLimit = 256 * 1024 * 1024;
/** Where only time and size tell versions apart, two writes within one tick of the store's clock look the same. */
const settledMs = 60_000;

/** Opened for one listing of one destination. */
export class SidecarCache {
  readonly #path: string;
  /** By key: the line as it stands in the file. */
  readonly #lines: Map<string, string>;
  readonly #seen = new Set<string>();
  #changed = false;

  private constructor(path: string, lines: Map<string, string>) {
    this.#path = path;
    this.#lines = lines;
  }

  /** Never throws: without a usable file the cache is empty. */
  static async open(path: string): Promise<SidecarCache> {
    return new SidecarCache(path, await readLines(path));
  }

  /** The JSON that the object held; undefined when it is not known to be unchanged since. */
  get(object: StoredObject): Buffer | undefined {
    const line = this.#lines.get(object.key);
    const identity = identityOf(object);
    if (line === undefined || identity === undefined || !line.startsWith(`${identity}\t`)) return undefined;
    this.#seen.add(object.key);
    return Buffer.from(line.slice(identity.length + 1));
  }

  /** Remembers JSON that was read; content of another size than was listed belongs to another version. */
  set(object: StoredObject, content: Buffer): void {
    const identity = identityOf(object);
    if (identity === undefined || content.length !== object.size || content.length > entryLimit) return;
    // A line end in JSON is always between two tokens, never inside a text.
    this.#lines.set(object.key, `${identity}\t${content.toString('utf8').replace(/\n */g, '')}`);
    this.#seen.add(object.key);
    this.#changed = true;
  }

  /** Writes what is new and drops what is gone from below `prefix`. Never throws: then the next list is slow again. */
  async save(prefix: string): Promise<void> {
    for (const key of this.#lines.keys()) {
      if (!key.startsWith(prefix) || this.#seen.has(key)) continue;
      this.#lines.delete(key);
      this.#changed = true;
    }
    if (!this.#changed) return;
    // Surveys of several jobs go on side by side: what another has written meanwhile is kept.
    for (const [key, line] of prefix === '' ? [] : await readLines(this.#path)) {
      if (!key.startsWith(prefix)) this.#lines.set(key, line);
    }
    await replaceFile(this.#path, this.#lines.values()).catch(() => undefined);
  }
}

/** A line begins with it; undefined for an object that cannot be told from a later version of itself. */
function identityOf({ key, size, modifiedAt, etag }: StoredObject): string | undefined {
  const time = modifiedAt.getTime();
  if (etag === undefined && !(Date.now() - time > settledMs)) return undefined;
  return JSON.stringify([key, size, time, etag ?? null]);
}

/** By key; empty without a usable file. */
async function readLines(path: string): Promise<Map<string, string>> {
  return linesOf(await contentOf(path).catch(() => undefined));
}

function linesOf(content: string | undefined): Map<string, string> {
  const lines = new Map<string, string>();
  for (const line of content?.split('\n') ?? []) {
    const tab = line.indexOf('\t');
    if (tab > 0) lines.set((JSON.parse(line.slice(0, tab)) as [string])[0], line);
  }
  return lines;
}

/** The lines of a file that is ours alone and whole: its last line is the sha256 of what stands above. */
async function contentOf(path: string): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    const stats = await file.stat();
    const isOurs = stats.isFile() && stats.uid === process.getuid?.() && (stats.mode & 0o077) === 0;
    if (!isOurs || stats.size > 2 * fileLimit) return undefined;
    const content = await file.readFile();
    const end = content.lastIndexOf('\n') + 1;
    const body = content.subarray(0, end);
    if (content.toString('latin1', end) !== sha256(body)) return undefined;
    const text = body.toString('utf8');
    return text.startsWith(header) ? text.slice(header.length) : undefined;
  } finally {
    await file.close();
  }
}

async function replaceFile(path: string, lines: Iterable<string>): Promise<void> {
  const parts: string[] = [header];
  let bytes = 0;
  for (const line of lines) {
    bytes += line.length;
    if (bytes <= fileLimit) parts.push(`${line}\n`);
  }
  const body = Buffer.from(parts.join(''));
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    await writeFile(temporary, [body, Buffer.from(sha256(body))], { mode: 0o600, flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
