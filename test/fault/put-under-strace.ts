/** Runs one `put` of the compiled local destination under strace, which records and breaks system calls. */
import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const dist = join(import.meta.dirname, '../../dist');

const script = `
  import { writeSync } from 'node:fs';
  import { Readable } from 'node:stream';
  const { LocalDestination } = await import(process.env.TEST_MODULE);
  process.umask(0);
  const destination = new LocalDestination(process.env.TEST_ROOT, 'disk');
  const chunks = Array.from({ length: 40 }, () => Buffer.alloc(65536, 7));
  const signal = new AbortController().signal;
  try {
    const stored = await destination.put('job/object', Readable.from(chunks), { signal });
    writeSync(1, JSON.stringify({ stored }));
  } catch ({ code, message, hint }) {
    writeSync(1, JSON.stringify({ error: { code, message, hint } }));
  }
`;

export interface TracedPut {
  readonly stored?: { readonly size: number };
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  /** The traced calls, in order, with the paths of their descriptors (`strace -y`). */
  readonly calls: readonly string[];
  /** Ended by a signal, so there is no outcome. */
  readonly killed: boolean;
}

/** `args`: `-e trace=…`, `-e inject=…`. Throws when strace or the compiled program is missing. */
export async function putUnderStrace(root: string, trace: string, args: readonly string[]): Promise<TracedPut> {
  const module = join(dist, 'destination/local/local-destination.js');
  await access(module).catch((cause) => {
    throw new Error('dist/ is missing: run `npm run build` first', { cause });
  });
  // One thread for all file-system calls: strace counts `when=` for each thread on its own.
  const env = { ...process.env, TEST_ROOT: root, TEST_MODULE: module, UV_THREADPOOL_SIZE: '1' };
  const node = [process.execPath, '--input-type=module', '--eval', script];
  const traced = ['-f', '-y', '-e', 'signal=none', '-o', trace, ...args, ...node];
  const outcome = await promisify(execFile)('strace', traced, { env }).then(
    ({ stdout }) => ({ ...JSON.parse(stdout), killed: false }),
    (error) => {
      if (error.code === 'ENOENT') throw new Error('strace is missing: apt-get install strace', { cause: error });
      if (error.signal === 'SIGKILL' || error.code === 137) return { killed: true };
      throw error;
    },
  );
  return { ...outcome, calls: (await readFile(trace, 'utf8')).split('\n') };
}
