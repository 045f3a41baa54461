import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourceContext } from '../../../src/source/source.ts';

export interface TestContext extends SourceContext {
  readonly controller: AbortController;
  /** Files of the test itself. */
  readonly folder: string;
  readonly lines: string[];
  /** Bytes that the adapter keeps in its temporary folder. */
  temporaryBytes(): Promise<number>;
}

/** Runs `work` with what an operation would give to an adapter, and removes every file afterwards. */
export async function withContext<Value>(work: (context: TestContext) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), 'dbbackup-source-'));
  const temporary = join(folder, 'temporary');
  const controller = new AbortController();
  const lines: string[] = [];
  const context: TestContext = {
    controller,
    folder,
    lines,
    signal: controller.signal,
    async temporaryFolder() {
      await mkdir(temporary, { recursive: true, mode: 0o700 });
      return temporary;
    },
    log: (level, line) => lines.push(`${level}: ${line}`),
    async temporaryBytes() {
      const names = await readdir(temporary).catch(() => []);
      const sizes = await Promise.all(names.map(async (name) => (await stat(join(temporary, name))).size));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
  };
  try {
    return await work(context);
  } finally {
    controller.abort(new Error('the test is over'));
    await rm(folder, { recursive: true, force: true });
  }
}
