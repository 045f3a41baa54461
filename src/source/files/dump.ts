import { basename } from 'node:path';
import { addAbortSignal, pipeline, Readable } from 'node:stream';
import { DbBackupError, wrapError } from '../../errors.ts';
import type { Dump, SourceContext } from '../source.ts';
import { archive, type Measure } from './archive.ts';
import { EndOfDumpCheck } from './end-of-dump.ts';
import { Notes } from './notes.ts';
import type { FilesOptions } from './options.ts';

const pieceBytes = 128 * 1024;

/** Streams the folder as a tar. `totalBytes` was measured before; files that change since then make the difference. */
export function startDump(path: string, options: FilesOptions, measured: Measure, context: SourceContext): Dump {
  if (measured.entries === 0) {
    throw new DbBackupError('DUMP_EMPTY', `there is nothing to back up in ${path}`, {
      hint: 'The folder is empty, or include and exclude leave nothing. Is its disk mounted?',
    });
  }
  const notes = new Notes(context);
  const pieces = gathered(archive(path, options, notes, context), path);
  const source = Readable.from(pieces, { objectMode: false, highWaterMark: pieceBytes });
  const check = new EndOfDumpCheck();
  pipeline(addAbortSignal(context.signal, source), check, () => {});
  return {
    stream: check,
    totalBytes: measured.bytes,
    contents: async () => {
      notes.close();
      const { include, exclude } = options;
      const patterns = { ...(include && { include }), ...(exclude && { exclude }) };
      return [
        {
          name: basename(path) || path,
          tables: check.counts(),
          properties: { path, ...patterns, ...notes.properties() },
        },
      ];
    },
  };
}

/** Headers are small, and a piece costs the same whatever its size. */
async function* gathered(pieces: AsyncGenerator<Buffer>, path: string): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      held.push(piece);
      bytes += piece.length;
      if (bytes < pieceBytes) continue;
      yield held.length === 1 ? piece : Buffer.concat(held, bytes);
      held = [];
      bytes = 0;
    }
  } catch (cause) {
    throw readError(path, cause);
  }
  yield Buffer.concat(held, bytes);
}

function readError(path: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (cause instanceof DbBackupError || code === undefined || code === 'ABORT_ERR') return cause;
  return wrapError(cause, 'SOURCE_FAILED', `the folder ${path} cannot be read`);
}
