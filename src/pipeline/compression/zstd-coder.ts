/**
 * The zstd library, through `zstd-napi`. Node 22 and 24 have a zstd of their own in node:zlib, which is not used:
 * tried on 22.23 it ends cleanly on a truncated file and on garbage after the frame, drops a second frame, and breaks
 * off with more than one worker. (24.21 notices truncation, and has the other three faults.)
 */
import { availableParallelism } from 'node:os';
import type { Coder } from './coder-stream.ts';
import { damaged } from './damaged.ts';

/** More workers would cost memory (about 100 MiB each at level 19) and outrun every dump tool. */
const mostWorkers = 4;

/**
 * Bytes that a worker takes at a time; the library raises it where the level's overlap is larger. Its own choice (8 MiB
 * at level 3) needs 30 MB more memory for a result 5 % smaller; with 1 MiB the workers starve between jobs (a run of
 * 750 MB took 4.1 s instead of 3.8 s on two cores).
 */
const jobBytes = 2 * 1024 * 1024;

/**
 * How levels 3 and 4 search, where the library's own choice is made for texts of all kinds. Dumps repeat longer pieces
 * (`minMatch`, in bytes) from further away, and at level 3 one large table finds as much as the library's two small ones.
 * Level 3, one core, against the library's: pg_dump of a shop 11 % smaller in a third less CPU time; source code, programs
 * and documentation 1 to 3 % larger in 12 to 19 % less. Twice the table makes 1 % smaller files in 10 % more time, which
 * is what a dump on two cores has not to spare.
 * Source: zstd.h, "Advanced compression API"; strategy 1 is ZSTD_fast. (Its `targetLength` stays alone: 1
 * made dumps half as large again.)
 */
const searches: Readonly<Record<number, Readonly<Partial<Record<SearchParameter, number>>>>> = {
  3: { strategy: 1, windowLog: 21, hashLog: 17, minMatch: 6 },
  4: { minMatch: 6 },
};
type SearchParameter = 'strategy' | 'windowLog' | 'hashLog' | 'minMatch';

export async function zstdEncoder(level: number): Promise<Coder> {
  const { CCtx, CParameter, EndDirective, cStreamOutSize } = await loadLibrary();
  const context = new CCtx();
  context.setParameter(CParameter.compressionLevel, level);
  context.setParameter(CParameter.checksumFlag, 1);
  for (const [name, value] of Object.entries(searches[level] ?? {})) {
    context.setParameter(CParameter[name as SearchParameter], value);
  }
  // 0 = in the calling thread; one worker beside it gains nothing on a single core.
  const cores = availableParallelism();
  context.setParameter(CParameter.nbWorkers, cores > 1 ? Math.min(cores, mostWorkers) : 0);
  if (cores > 1) context.setParameter(CParameter.jobSize, jobBytes);
  const outputs = new OutputBuffers(cStreamOutSize());
  return {
    step(input, ending) {
      const mode = ending ? EndDirective.end : EndDirective.continue;
      const [unflushed, produced, consumed] = context.compressStream2(outputs.next(), input, mode);
      const settled = ending ? unflushed === 0 : consumed === input.length;
      return { output: outputs.take(produced), consumed, settled };
    },
  };
}

/** Reads any number of frames; refuses windows over 128 MiB (the library's default), like the `zstd` program. */
export async function zstdDecoder(): Promise<Coder> {
  const { DCtx, dStreamOutSize } = await loadLibrary();
  const context = new DCtx();
  const outputs = new OutputBuffers(dStreamOutSize());
  // An empty file is not a frame.
  let insideFrame = true;
  return {
    step(input, ending) {
      if (ending && insideFrame) throw damaged('zstd', 'it ends before the end of a frame');
      if (ending) return { output: outputs.take(0), consumed: 0, settled: true };
      const [missing, produced, consumed] = decode(input);
      insideFrame = missing !== 0;
      // A full buffer in mid-frame may have left some output inside the library.
      const settled = consumed === input.length && (!insideFrame || produced < outputs.size);
      return { output: outputs.take(produced), consumed, settled };
    },
  };

  function decode(input: Buffer): [number, number, number] {
    try {
      return context.decompressStream(outputs.next(), input);
    } catch (error) {
      throw damaged('zstd', (error as Error).message, error);
    }
  }
}

async function loadLibrary() {
  return (await import('zstd-napi/binding.js')).default;
}

/** One buffer, reused until it has been handed out. */
class OutputBuffers {
  readonly size: number;
  #buffer: Buffer;

  constructor(size: number) {
    this.size = size;
    this.#buffer = Buffer.allocUnsafeSlow(size);
  }

  next(): Buffer {
    return this.#buffer;
  }

  take(bytes: number): Buffer {
    // A few bytes are copied, lest each of them keep a whole buffer alive.
    if (bytes < this.size / 4) return Buffer.from(this.#buffer.subarray(0, bytes));
    const full = this.#buffer.subarray(0, bytes);
    this.#buffer = Buffer.allocUnsafeSlow(this.size);
    return full;
  }
}
