import { type BigIntStats, lstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { SourceContext } from '../source.ts';
import { EntryMaker, rootEntry, type WritableEntry } from './entry.ts';
import { Notes } from './notes.ts';
import { OpenFolder, openFile } from './open-folder.ts';
import type { FilesOptions } from './options.ts';
import { Own } from './own.ts';
import { type ReadPolicy, readLarge, readSmall, readStill, smallBytes } from './read-content.ts';
import type { Selection } from './selection.ts';
import { encodeHeader, endOfArchive, padding, paddingOf } from './tar-header.ts';
import { type Found, unlessVanished, walk } from './walk.ts';

export interface Measure {
  /** Of the archive, were it made at this moment. */
  readonly bytes: number;
  /** Without the folder itself. */
  readonly entries: number;
}

/** Size of the archive to come, from the state of the files alone. */
export async function measure(path: string, options: FilesOptions, context: SourceContext): Promise<Measure> {
  const { signal } = context;
  const own = new Own(path, context.own);
  const notes = new Notes();
  const maker = new EntryMaker(path, false, notes);
  const selection = await openSelection(options);
  const root = await OpenFolder.open(Buffer.from(path));
  let bytes = encodeHeader(rootEntry(lstatSync(path, { bigint: true }))).length + endOfArchive.length;
  let entries = 0;
  try {
    for await (const found of walk(root, { selection, own, notes, signal })) {
      const entry = await maker.make(found);
      if (entry === undefined) continue;
      entries += 1;
      bytes += encodeHeader(entry).length + entry.size + paddingOf(entry.size);
    }
  } finally {
    await root.close();
  }
  return { bytes, entries };
}

/** The archive, in pieces of any size. */
export async function* archive(
  path: string,
  options: FilesOptions,
  notes: Notes,
  context: SourceContext,
): AsyncGenerator<Buffer> {
  const { signal } = context;
  const own = new Own(path, context.own);
  const policy: ReadPolicy = { changedFiles: options.changedFiles ?? 'fail', notes, signal };
  const maker = new EntryMaker(path, options.outsideLinks !== true, notes);
  const selection = await openSelection(options);
  const root = await OpenFolder.open(Buffer.from(path));
  try {
    yield encodeHeader(rootEntry(lstatSync(path, { bigint: true })));
    for await (const found of walk(root, { selection, own, notes, signal })) {
      const entry = await maker.make(found);
      if (entry?.type === 'file') yield* fileOf(found, entry, maker, policy);
      else if (entry !== undefined) yield encodeHeader(entry);
    }
    yield endOfArchive;
  } finally {
    await root.close();
  }
}

/** With its library, which only this source needs. */
export async function openSelection(options: FilesOptions): Promise<Selection> {
  const { Selection } = await import('./selection.ts');
  return new Selection(options);
}

async function* fileOf(
  found: Found,
  entry: WritableEntry,
  maker: EntryMaker,
  policy: ReadPolicy,
): AsyncGenerator<Buffer> {
  const quick = found.stat.size <= smallBytes ? readStill(found.at) : undefined;
  if (quick !== undefined) {
    yield* wholeFile(entry, quick.stat, quick.content);
    return;
  }
  const file = await unlessVanished(found.path, policy.notes, () => openFile(found.at));
  if (file === undefined) {
    maker.forget(found.stat);
    return;
  }
  try {
    yield* contentOf(file, entry, policy);
  } finally {
    await file.close();
  }
}

async function* contentOf(file: FileHandle, entry: WritableEntry, policy: ReadPolicy): AsyncGenerator<Buffer> {
  const stat = await file.stat({ bigint: true });
  const small = stat.size <= smallBytes ? await readSmall(entry.path, file, policy) : undefined;
  if (small !== undefined) {
    yield* wholeFile(entry, small.stat, small.content);
    return;
  }
  const now = await file.stat({ bigint: true });
  const size = Number(now.size);
  yield encodeHeader(stateOf(entry, now, size));
  yield* readLarge(entry.path, file, now, policy);
  yield padding(size);
}

function* wholeFile(entry: WritableEntry, stat: BigIntStats, content: Buffer): Generator<Buffer> {
  yield encodeHeader(stateOf(entry, stat, content.length));
  yield content;
  yield padding(content.length);
}

/** What was true when the content was read, not when the name was met. */
function stateOf(entry: WritableEntry, { mode, uid, gid, mtimeNs }: BigIntStats, size: number): WritableEntry {
  return { ...entry, size, mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid), mtimeNs };
}
