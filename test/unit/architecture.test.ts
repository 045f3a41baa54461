import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Who may import whom: the README's picture of the house, enforced. A room is a folder of src, or a file at its top. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  start: ['main', 'installation'],
  main: ['cli', 'source', 'destination', 'crypto', 'notification', 'errors'],
  cli: [
    'operation',
    'config',
    'history',
    'state-folder',
    'crypto',
    'errors',
    'redact',
    'source',
    'destination',
    'notification',
    'sidecar',
    'value',
    'finding',
    'schedule',
    'installation',
    'setup',
  ],
  operation: [
    'pipeline',
    'crypto',
    'retention',
    'schedule',
    'sidecar',
    'history',
    'lock',
    'source',
    'destination',
    'notification',
    'process',
    'value',
    'finding',
    'config',
    'errors',
    'redact',
    'state-folder',
    'disk-error',
  ],
  config: [
    'source',
    'destination',
    'pipeline',
    'process',
    'errors',
    'redact',
    'sidecar',
    'retention',
    'schedule',
    'notification',
    'value',
    'secret-file',
  ],
  retention: [],
  schedule: ['errors'],
  pipeline: ['process', 'errors'],
  crypto: ['pipeline', 'config', 'errors', 'redact', 'process', 'secret-file', 'installation'],
  source: ['process', 'errors', 'redact', 'value', 'installation', 'finding', 'setup', 'sqlite-library', 'disk-error'],
  destination: ['process', 'errors', 'redact', 'value', 'secret-file', 'finding', 'setup', 'make-folder'],
  notification: ['errors', 'redact', 'value'],
  sidecar: ['errors'],
  history: ['errors', 'redact', 'source', 'state-folder', 'installation', 'sqlite-library'],
  lock: ['errors', 'redact', 'state-folder', 'sqlite-library'],
  process: ['errors', 'redact'],
  'state-folder': ['errors', 'make-folder'],
  'secret-file': ['errors'],
  installation: [],
  'disk-error': ['errors'],
  'make-folder': [],
  'sqlite-library': [],
  value: ['errors'],
  finding: ['errors'],
  setup: [],
  redact: [],
  errors: [],
};

/** Imports that may only be types: a contract is known, the room behind it is not loaded. */
const typesOnly = new Set([
  'start → main',
  'operation → config',
  'config → retention',
  'crypto → config',
  'config → source',
  'config → destination',
  'config → notification',
  'history → source',
]);

/** Packages (or Node modules) that one room alone may know. */
const reserved: Readonly<Record<string, readonly string[]>> = {
  'node:child_process': ['process'],
  'drizzle-orm': ['history'],
  commander: ['cli'],
  chalk: ['cli'],
  'cli-progress': ['cli'],
  '@inquirer/prompts': ['cli'],
  nodemailer: ['notification'],
  ssh2: ['destination'],
  cosmiconfig: ['config'],
  'age-encryption': ['crypto'],
  ignore: ['source'],
  croner: ['schedule'],
};

interface Import {
  readonly file: string;
  readonly target: string;
  /** Of our own files, not of a package. */
  readonly isOurs: boolean;
  readonly isType: boolean;
}

const root = resolve(import.meta.dirname, '../../src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports = files.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = [...text.matchAll(/^(?:import|export)\s+(type\s)?[^'"`;]*?from\s+'([^']+)'|import\('([^']+)'\)/gm)];
  return found.map(([, isType, from, dynamic]) => {
    const target = from ?? dynamic ?? '';
    const resolved = target.startsWith('.') ? relative(root, resolve(root, dirname(file), target)) : target;
    return { file, target: resolved, isOurs: target.startsWith('.'), isType: isType !== undefined };
  });
}

function roomOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : path.replace(/\.ts$/, '');
}

describe('architecture', () => {
  it('sees the imports at all', () => {
    expect(imports.length).toBeGreaterThan(200);
    expect(imports.some((each) => each.file === 'main.ts' && roomOf(each.target) === 'cli')).toBe(true);
  });

  it('has rooms that import only what lies below them', () => {
    const broken = imports
      .filter(({ isOurs }) => isOurs)
      .map(({ file, target, isType }) => ({ file, from: roomOf(file), to: roomOf(target), isType }))
      .filter(({ from, to, isType }) => {
        if (from === to) return false;
        if (!allowed[from]?.includes(to)) return true;
        return typesOnly.has(`${from} → ${to}`) && !isType;
      });
    expect(broken).toEqual([]);
  });

  it('has adapters that do not know one another', () => {
    const adapterOf = (path: string) => /^((?:source|destination|notification)\/[^/]+)\//.exec(path)?.[1];
    const broken = imports.filter(({ file, target }) => {
      const [from, to] = [adapterOf(file), adapterOf(target)];
      return from !== undefined && to !== undefined && from !== to;
    });
    expect(broken).toEqual([]);
  });

  it('keeps libraries in their rooms', () => {
    const broken = imports.filter(({ file, target }) => {
      const owner = Object.keys(reserved).find((name) => target === name || target.startsWith(`${name}/`));
      return owner !== undefined && !reserved[owner]?.includes(roomOf(file));
    });
    expect(broken).toEqual([]);
  });

  it('has no circles between files', () => {
    const graph = new Map<string, string[]>();
    for (const { file, target, isType, isOurs } of imports) {
      if (!isType && isOurs) graph.set(file, [...(graph.get(file) ?? []), target]);
    }
    expect(findCircle(graph)).toEqual([]);
  });

  it('has no console and no process.exit outside main', () => {
    const broken = files.filter((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return file !== 'main.ts' && /\bconsole\.|\bprocess\.exit\(/.test(text) && !file.includes('worker');
    });
    expect(broken).toEqual([]);
  });
});

/** The files of the first circle met, or nothing. */
function findCircle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
