import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the compiled script beside a module, to be started with `process.execPath`:
 * `siblingScript(import.meta.url, './worker.js')`. A module that runs as TypeScript (the test suite) is under `src/`;
 * its compiled neighbour is then under `dist/`, which must have been built.
 */
export function siblingScript(importMetaUrl: string, script: string): string {
  const path = fileURLToPath(new URL(script, importMetaUrl));
  if (!new URL(importMetaUrl).pathname.endsWith('.ts')) return path;
  const at = path.lastIndexOf('/src/');
  return `${path.slice(0, at)}/dist/${path.slice(at + '/src/'.length)}`;
}
