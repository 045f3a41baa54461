/**
 * PostgreSQL against the shell pipelines that a user would otherwise write, on a private server, in one run.
 * BENCH_MB: size of the database's data (default 1000). BENCH_ROUNDS: counted pairs (default 3). BENCH_DURABLE=1: a server
 * that waits for its disk, as installed ones do; without it only what we and the pipelines do is measured.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { type Command, type Comparison, compare, type Row, table } from './measure.ts';
import { fillShop } from './shop.ts';

const megabytes = Number(process.env['BENCH_MB'] ?? 1000);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const durable = process.env['BENCH_DURABLE'] === '1' ? ['fsync', 'synchronous_commit', 'full_page_writes'] : [];
const only = process.env['BENCH_ONLY'] ?? '';
const program = resolve(import.meta.dirname, '../../bin/dbbackup.js');

let folder: string;
let server: PostgresServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-bench-'));
  const settings = ['shared_buffers = 512MB', 'maintenance_work_mem = 256MB', ...durable.map((name) => `${name} = on`)];
  server = await startPostgres({ settings });
  await server.sql('CREATE DATABASE shop');
  await server.sql(fillShop(megabytes), 'shop');
  await writeFile(join(folder, 'dbbackup.yaml'), config(server.url('shop')), { mode: 0o600 });
});

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('measures', async () => {
  const rows: Row[] = [];
  for (const comparison of comparisons()) {
    if (!comparison.name.includes(only)) continue;
    rows.push(await compare(comparison, rounds));
    process.stdout.write(`\n${table(rows.slice(-1))}\n`);
  }
  process.stdout.write(`\nPostgreSQL ${server.major}, ${megabytes} MB, ${rounds} rounds\n${table(rows)}\n`);
});

function config(url: string): string {
  const job = (name: string, more: string) => `  ${name}: { source: ${more}, destinations: disk }\n`;
  return `sources:
  shop: { type: postgres, url: "${url}" }
destinations:
  disk: { type: local, path: ./backups }
jobs:
${job('custom', 'shop')}${job('plain', 'shop, format: plain')}state: { dir: ./state }
`;
}

const ours = (...args: string[]): Command => ({
  command: process.execPath,
  args: [program, ...args],
  cwd: folder,
  env: { DBBACKUP_STATE_DIR: join(folder, 'state'), PGPASSWORD: server.password },
});

const shell = (command: string): Command => ({
  command,
  cwd: folder,
  env: { PGPASSWORD: server.password, PGHOST: server.host, PGPORT: String(server.port), PGUSER: server.user },
});

/** With nothing left to be written of the restore before. */
const emptyTarget = async () => {
  await server.sql('DROP DATABASE IF EXISTS target');
  await server.sql('CREATE DATABASE target');
  await server.sql('CHECKPOINT');
};

function comparisons(): Comparison[] {
  const target = `postgres://${server.user}@${server.host}:${server.port}/target`;
  const into = (command: Command): Command => ({ ...command, prepare: emptyTarget });
  return [
    {
      name: 'backup custom / pg_dump -Fc -Z0 | zstd -3',
      ours: ours('run', 'custom', '--quiet'),
      theirs: shell('pg_dump -Fc -Z0 shop | zstd -3 -q -f -o custom.zst'),
    },
    {
      name: 'backup plain / pg_dump | zstd -3',
      ours: ours('run', 'plain', '--quiet'),
      theirs: shell('pg_dump shop | zstd -3 -q -f -o plain.zst'),
    },
    {
      name: 'restore custom / zstd -d | pg_restore -1',
      ours: into(ours('restore', 'custom@latest', '--to', target, '--quiet')),
      theirs: into(shell('zstd -dcq custom.zst | pg_restore -1 -e -d target')),
    },
    {
      name: 'restore custom --jobs 2 / pg_restore -j 2',
      ours: into(ours('restore', 'custom@latest', '--to', target, '--jobs', '2', '--quiet')),
      theirs: into(shell('zstd -dqf custom.zst -o custom.dump && pg_restore -j 2 -e -d target custom.dump')),
    },
    {
      name: 'restore plain / zstd -d | psql -1',
      ours: into(ours('restore', 'plain@latest', '--to', target, '--quiet')),
      theirs: into(shell('zstd -dcq plain.zst | psql -X -q -1 -v ON_ERROR_STOP=1 -o /dev/null target')),
    },
    {
      name: 'start-up: --version / node -e 0',
      ours: ours('--version'),
      theirs: { command: process.execPath, args: ['-e', '0'] },
    },
  ];
}
