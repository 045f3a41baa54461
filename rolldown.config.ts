/**
 * Builds src/ and the small libraries that every command needs into a few files: `dbbackup run` opened 550 modules, and
 * half of its start-up went into finding them. What is large, native or rarely needed stays a package of its own.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'rolldown';

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const bundled = new Set([
  ...['chalk', 'cli-progress', 'commander', 'cosmiconfig', 'croner'],
  ...['drizzle-orm', 'fastest-levenshtein', 'ignore', 'yaml', 'zod'],
]);
const packages = Object.keys(dependencies)
  .filter((name) => !bundled.has(name))
  .map((name) => new RegExp(`^${name}(/|$)`));
const external = (id: string, importer?: string) => packages.some((name) => name.test(id)) && !isUnused(id, importer);

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

/** Makes of a CommonJS file what src/start/load-script.ts runs. */
const script: Plugin = {
  name: 'script',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      let { code } = chunk;
      for (const name of chunk.dynamicImports) code = code.replaceAll(`import("${name}")`, `importModule("${name}")`);
      // One byte a character, in the file and in memory.
      code = code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
      const content = createHash('sha256').update(code).digest('hex');
      chunk.code = `// ${content}\n(function (module, exports, require, __filename, importModule) {${code}\n})`;
    }
  },
};

/** drizzle-orm imports it to open files by itself, which nobody asks it to: src/sqlite-library.ts opens them. */
function isUnused(id: string, importer = ''): boolean {
  return id === 'better-sqlite3' && importer.includes('drizzle-orm');
}

const unusedSqlite: Plugin = {
  name: 'unused-sqlite',
  resolveId: (id, importer) => (isUnused(id, importer) ? `\0${id}` : null),
  load: (id) => (id === '\0better-sqlite3' ? 'export default undefined;' : null),
};

const common = { platform: 'node' as const, tsconfig: './tsconfig.json', external, plugins: [unusedSqlite] };

export default defineConfig([
  {
    ...common,
    input: {
      start: 'src/start/start.ts',
      ...Object.fromEntries([...scripts, ...tested].map((name) => [name, `src/${name}.ts`])),
    },
    output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: 'chunk/[name]-[hash].js' },
  },
  {
    ...common,
    input: { program: 'src/main.ts' },
    output: { dir: 'dist', format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
    plugins: [unusedSqlite, script],
  },
]);
