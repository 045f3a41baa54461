/**
 * Builds src/ and the small libraries that every command needs into a few files: `dbbackup run` opened 550 modules, and
 * half of its start-up went into finding them. What is large, native or rarely needed stays a package of its own.
 */
import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const bundled = ['chalk', 'commander', 'cosmiconfig', 'drizzle-orm', 'fastest-levenshtein', 'yaml', 'zod'];
const external = Object.keys(dependencies).filter((name) => !bundled.includes(name));

/** Started as processes or threads of their own: the program's, and what those of the test suite and the sample need. */
const scripts = ['source/sqlite/worker', 'crypto/chunk/seal-worker', 'crypto/chunk/open-worker'];
const tested = [
  'destination/local/local-destination',
  'history/history',
  'lock/run-lock',
  'process/process',
  'retention/calendar',
  'retention/plan',
  'sqlite-library',
];

export default defineConfig({
  input: Object.fromEntries(['main', ...scripts, ...tested].map((name) => [name, `src/${name}.ts`])),
  platform: 'node',
  tsconfig: './tsconfig.json',
  external: external.map((name) => new RegExp(`^${name}(/|$)`)),
  output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: 'chunk/[name]-[hash].js' },
});
