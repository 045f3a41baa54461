import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceSetup, Suggestion, Surroundings } from '../../setup.ts';
import { headerBytes, parseHeader } from './database-header.ts';

export const sqliteSetup: SourceSetup = {
  title: 'SQLite: a database file',
  questions: [{ option: 'path', kind: 'path', message: 'Path of the database file', required: true }],
  more: ['busyTimeout: 30s # how long to wait for a database that another program has locked; without it 5s'],
  suggest: databasesIn,
  firstRestore: () => '--to ./restored.sqlite',
};

const names = /\.(sqlite3?|db3?)$/i;
/** Of names looked at and files offered: nobody chooses from a long list. */
const mostEntries = 2000;
const mostFiles = 8;

/** Database files in the folder and one level below, told by their first bytes. */
async function databasesIn({ folder }: Surroundings): Promise<readonly Suggestion[]> {
  const found: string[] = [];
  for (const place of ['.', ...(await foldersIn(folder))]) {
    for (const name of await listed(join(folder, place))) {
      if (found.length >= mostFiles) break;
      if (names.test(name) && (await isDatabase(join(folder, place, name)))) found.push(`./${join(place, name)}`);
    }
  }
  return found.map((path) => ({ label: `${path} (SQLite)`, options: { path } }));
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
    .slice(0, 50)
    .map(({ name }) => name);
}

async function listed(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).slice(0, mostEntries).sort();
}

async function isDatabase(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer } = await file.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return parseHeader(buffer) !== undefined;
  } catch {
    return false;
  } finally {
    await file.close();
  }
}
