/** Where this program's own files are, wherever the code that asks has been built into. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = packageFolder(dirname(fileURLToPath(import.meta.url)));

/** A file of the package: `package.json`. */
export function packageFile(path: string): string {
  return join(root, path);
}

/**
 * What the build has put under `dist/`: a script that runs as a process of its own, or a file that is not code. The
 * test suite, which runs the TypeScript itself, finds the built one too.
 */
export function builtFile(path: string): string {
  return join(root, 'dist', path);
}

function packageFolder(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageFolder(dirname(folder));
}
