import { basename } from 'node:path';
import { pipeline } from 'node:stream';
import { produce } from '../../process/process.ts';
import type { Dump, SourceContext } from '../source.ts';
import { endOfDumpCheck } from './end-of-dump-check.ts';
import { sqlFormat } from './format.ts';
import { lookAtSource } from './source-file.ts';
import { sqlDumpScript } from './sql-dump-script.ts';
import { SqlHeaderReader } from './sql-header-reader.ts';
import { findSqlite3, sqlite3Arguments } from './sqlite3-program.ts';

/** One `sqlite3` process, one read transaction: counts, settings and `.dump` come from the same snapshot. */
export async function dumpSql(path: string, busyTimeoutMs: number, context: SourceContext): Promise<Dump> {
  const command = await findSqlite3(context.signal);
  const { journalMode } = await lookAtSource(path, context.signal);
  const program = produce({
    command,
    args: ['-readonly', ...sqlite3Arguments, path],
    // The script leaves its list of tables here; a plain name there needs no quoting.
    cwd: await context.temporaryFolder(),
    stdinPrefix: Buffer.from(sqlDumpScript(busyTimeoutMs)),
    largeBuffers: true,
    signal: context.signal,
    idleTimeoutMs: context.idleTimeoutMs,
  });
  const stream = new SqlHeaderReader(path);
  // An error anywhere destroys all three; the last one shows it.
  pipeline(program.stdout, endOfDumpCheck(sqlFormat), stream, () => {});
  return {
    stream,
    async contents() {
      const { tables, properties } = stream.header();
      return [{ name: basename(path), tables, properties: { ...properties, journal_mode: journalMode } }];
    },
  };
}
