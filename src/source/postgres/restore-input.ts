import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError } from '../../errors.ts';
import type { RestoreRequest, SourceContext } from '../source.ts';
import { EndOfDumpCheck } from './end-of-dump.ts';

export function bytesOf({ input }: RestoreRequest): Readable {
  return input.kind === 'stream' ? input.stream : createReadStream(input.path);
}

/** The whole archive in a file; throws when one of the wanted tables is not in it. */
export async function inFile(request: RestoreRequest, context: SourceContext): Promise<string> {
  const { input, tables } = request;
  if (input.kind === 'file' && tables.length === 0) return input.path;
  const path =
    input.kind === 'file' ? input.path : join(await context.temporaryFolder(), `restore-${request.restoreId}.dump`);
  const sink = input.kind === 'file' ? discard() : createWriteStream(path, { mode: 0o600, flags: 'wx' });
  await pipeline(bytesOf(request), new WantedTables(request), sink);
  return path;
}

/** Ends well only when a whole archive has passed, and all wanted tables are in it. */
export class WantedTables extends EndOfDumpCheck {
  readonly #wanted: readonly string[];

  constructor({ format, tables }: RestoreRequest) {
    super(format);
    this.#wanted = tables;
  }

  override _flush(done: (error?: Error | null) => void): void {
    super._flush((error) => done(error ?? this.#missing()));
  }

  #missing(): DbBackupError | null {
    const held = Object.keys(this.tables());
    const missing = this.#wanted.find((table) => !held.some((name) => name.endsWith(`.${table}`)));
    if (missing === undefined) return null;
    return new DbBackupError('TARGET_FAILED', `the backup holds no table ${missing}`, {
      hint: 'Give the bare name, without its schema; "dbbackup show" lists the tables.',
    });
  }
}

function discard(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
