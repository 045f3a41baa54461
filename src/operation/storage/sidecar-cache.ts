/**
 * What sidecars and state files said when they were last read, kept in the state folder so that a long list is quick.
 * Guarantees: an entry is what the parser of this very version made of an object, and is used only while key, size, time
 * and ETag are those it was read under; a file that is damaged, cut, of another version, or not ours alone is passed over
 * and written anew, whole, by a rename; nothing depends on it.
 * Refuses: objects too young to be told apart where the store has no ETag, and very large ones.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StoredObject } from '../../destination/destination.ts';

/** To be raised when the parsers come to make something else of the same bytes between two releases. */
const format = 2;
/** Bytes of one entry; a sidecar of some 5,000 tables. Larger ones are read every time. */
const entryLimit = 256 * 1024;
/** Bytes of the whole file: about 80,000 usual sidecars. */
const fileLimit = 256 * 1024 * 1024;
/** Where only time and size tell versions apart, two writes within one tick of the store's clock look the same. */
const settledMs = 60_000;

export interface CacheFile {
  /** Absolute. */
  readonly path: string;
  /** The version of the program: another one may read other things out of a sidecar. */
  readonly version: string;
}

/** Opened for one listing of one destination. */
export class SidecarCache {
  readonly #file: CacheFile;
  /** By key: the line as it stands in the file. */
  readonly #lines: Map<string, string>;
  readonly #seen = new Set<string>();
  #changed = false;

  private constructor(file: CacheFile, lines: Map<string, string>) {
    this.#file = file;
    this.#lines = lines;
  }

  /** Never throws: without a usable file the cache is empty. */
  static async open(file: CacheFile): Promise<SidecarCache> {
    return new SidecarCache(file, await readLines(file));
  }

  /** What was made of the object; undefined when it is not known to be unchanged since. */
  get(object: StoredObject): unknown {
    const line = this.#lines.get(object.key);
    const identity = identityOf(object);
    if (line === undefined || identity === undefined || !line.startsWith(`${identity}\t`)) return undefined;
    this.#seen.add(object.key);
    return JSON.parse(line.slice(identity.length + 1));
  }

  /** Remembers what was made of so many bytes; another size than was listed belongs to another version of the object. */
  set(object: StoredObject, bytes: number, value: unknown): void {
    const identity = identityOf(object);
    if (identity === undefined || bytes !== object.size || bytes > entryLimit) return;
    this.#lines.set(object.key, `${identity}\t${JSON.stringify(value)}`);
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
    for (const [key, line] of prefix === '' ? [] : await readLines(this.#file)) {
      if (!key.startsWith(prefix)) this.#lines.set(key, line);
    }
    await replaceFile(this.#file, this.#lines.values()).catch(() => undefined);
  }
}

/** A line begins with it; undefined for an object that cannot be told from a later version of itself. */
function identityOf({ key, size, modifiedAt, etag }: StoredObject): string | undefined {
  const time = modifiedAt.getTime();
  if (etag === undefined && !(Date.now() - time > settledMs)) return undefined;
  return JSON.stringify([key, size, time, etag ?? null]);
}

/** By key; empty without a usable file. */
async function readLines(file: CacheFile): Promise<Map<string, string>> {
  return linesOf(await contentOf(file).catch(() => undefined));
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
async function contentOf({ path, version }: CacheFile): Promise<string | undefined> {
  const header = headerOf(version);
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

function headerOf(version: string): string {
  return `dbbackup ${version} sidecar cache ${format}\n`;
}

async function replaceFile({ path, version }: CacheFile, lines: Iterable<string>): Promise<void> {
  const parts: string[] = [headerOf(version)];
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
