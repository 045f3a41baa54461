/**
 * Runs the program's one script with what V8 has compiled of it before: without that, most of the time until the first
 * byte of a backup goes into parsing. Every command adds what it needed when it first succeeds. (Node's own
 * `module.enableCompileCache` begins with 22.)
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { type CodeCache, readCodeCache, writeCodeCache } from './code-cache.ts';

/** As rolldown.config.ts wraps it; `importModule` instead of `import()`, which Node refuses to scripts. */
type Wrapped = (
  module: { exports: unknown },
  exports: unknown,
  require: NodeJS.Require,
  filename: string,
  importModule: (name: string) => Promise<unknown>,
) => void;

/**
 * Per cent by which the heap may grow between two full collections. V8 sets its limit by what little lives after one, and
 * counts dead buffers towards it, so that one run in two made 20 to 30 of them for 1 GB (0.2 to 0.6 s of CPU time for a
 * verification, in 10 MB less).
 */
const heapGrowth = 200;
/** Tried up to this; V8 complains aloud of a flag that it does not know any more, at every start. */
const newestNode = 24;

/**
 * The exports of a CommonJS script: ASCII, wrapped into a function, its first line names its content. `command`: whose code
 * is remembered beside it when the process ends with 0.
 */
export function loadScript<Exports>(path: string, command: string): Exports {
  // Before any code: V8 takes no cache that was made under other flags.
  if (Number.parseInt(process.versions.node, 10) <= newestNode) {
    setFlagsFromString(`--heap-growing-percent=${heapGrowth}`);
  }
  const source = readFileSync(path, 'latin1');
  const content = source.slice(0, source.indexOf('\n'));
  const cachePath = join(dirname(path), 'code-cache', `${process.version}-${process.arch}`);
  const cache = readCodeCache(cachePath, content);
  const script = new Script(source, { filename: path, cachedData: cache?.code });
  const known = script.cachedDataRejected ? undefined : cache;
  if (!known?.commands.includes(command)) remember(script, cachePath, content, command, known);
  const module = { exports: {} as Exports };
  const run = script.runInThisContext() as Wrapped;
  run(module, module.exports, createRequire(path), path, (name: string) => import(name));
  return module.exports;
}

function remember(script: Script, path: string, content: string, command: string, known?: CodeCache): void {
  process.once('exit', (exitCode) => {
    if (exitCode !== 0) return;
    const code = script.createCachedData();
    // V8 forgets functions that a long run has not used for a while.
    if (known && code.length < known.code.length) return;
    writeCodeCache(path, content, { commands: [...(known?.commands ?? []), command], code });
  });
}
