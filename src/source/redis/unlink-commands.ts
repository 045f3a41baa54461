import { createReadStream } from 'node:fs';
import type { RdbEntry } from './rdb-walker.ts';
import { RdbWalker } from './rdb-walker.ts';
import { request } from './resp.ts';

/** Names are small; a million of them in one command would hold up everybody else. */
const keysAtOnce = 500;
const bytesAtOnce = 256 * 1024;

/** The commands that remove every key of an RDB file by its name, and nothing else. */
export async function* unlinkCommands(
  path: string,
  databases: ReadonlyMap<number, number>,
): AsyncGenerator<{ readonly bytes: Buffer; readonly database: number }> {
  const entries: RdbEntry[] = [];
  const walker = new RdbWalker((entry) => entries.push(entry));
  let keys: Buffer[] = [];
  let [bytes, database] = [0, 0];
  const step = () => ({ bytes: request(['UNLINK', ...keys]), database });
  for await (const chunk of createReadStream(path, { highWaterMark: bytesAtOnce })) {
    walker.push(chunk as Buffer);
    for (const entry of entries.splice(0)) {
      const next = databases.get(entry.database) ?? entry.database;
      if (keys.length > 0 && (next !== database || keys.length === keysAtOnce || bytes > bytesAtOnce)) {
        yield step();
        [keys, bytes] = [[], 0];
      }
      database = next;
      keys.push(Buffer.from(entry.key));
      bytes += entry.key.length;
    }
  }
  if (keys.length > 0) yield step();
}
