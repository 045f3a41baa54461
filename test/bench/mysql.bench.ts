/**
 * MariaDB against the shell pipelines that a user would otherwise write, on a private server, in one run.
 * BENCH_MB: size of the dump (default 1000). BENCH_ROUNDS: counted pairs (default 3). BENCH_BIG_MB: one row of so many MB.
 */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { type MariadbServer, startMariadb } from '../servers/mariadb.ts';
import { type Command, type Comparison, compare, type Row, table } from './measure.ts';

const megabytes = Number(process.env['BENCH_MB'] ?? 1000);
const bigMegabytes = Number(process.env['BENCH_BIG_MB'] ?? 100);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const only = process.env['BENCH_ONLY'] ?? '';
const program = resolve(import.meta.dirname, '../../bin/dbbackup.js');

let folder: string;
let server: MariadbServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-bench-'));
  // Committed to the disk at each commit, as servers do.
  const durable = ['innodb-flush-log-at-trx-commit=1', 'innodb-doublewrite=1', 'innodb-buffer-pool-size=512M'];
  server = await startMariadb([...durable, 'innodb-log-file-size=512M']);
  await server.sql('CREATE DATABASE shop; CREATE DATABASE big;');
  await server.sql(fill(megabytes), 'shop');
  const value = `repeat('0123456789abcde''', ${(bigMegabytes * 1e6) / 16})`;
  await server.sql(`CREATE TABLE b (id int PRIMARY KEY, v longtext); INSERT INTO b VALUES (1, ${value});`, 'big');
  await copyFile(server.defaultsFile, join(folder, '.my.cnf'));
  await writeFile(join(folder, 'dbbackup.yaml'), config(), { mode: 0o600 });
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
  process.stdout.write(`\nMariaDB ${server.version}, ${megabytes} MB, ${rounds} rounds\n${table(rows)}\n`);
});

/** Text, JSON, numbers, timestamps, and one part in ten that does not compress. About 400 bytes a row as text. */
function fill(mb: number): string {
  return `
    CREATE TABLE event (id bigint PRIMARY KEY, at datetime, customer int, amount decimal(12,2), note text, detail json, seal blob, KEY (customer));
    INSERT INTO event SELECT seq, '2020-01-01' + INTERVAL seq * 17 SECOND, (seq * 7919) % 100003, (seq % 99991) / 7.0,
      concat('order ', seq, ' shipped to ', md5(seq % 5000), ' by carrier ', seq % 17, ' after ', seq % 90, ' days; ',
        repeat(concat(md5(seq DIV 3), ' '), 3)),
      json_object('sku', md5(seq % 1000), 'quantity', seq % 12, 'tags', json_array(concat('a', seq % 5), concat('b', seq % 7)), 'total', seq * 3),
      if(seq % 10 = 0, unhex(concat(sha2(seq, 512), sha2(seq + 1, 512), sha2(seq + 2, 512))), NULL)
      FROM seq_1_to_${mb * 2500};`;
}

function config(): string {
  return `sources:
  shop: { type: mysql, host: localhost, database: shop }
  big: { type: mysql, host: localhost, database: big }
destinations:
  disk: { type: local, path: ./backups }
jobs:
  shop: { source: shop, destinations: disk }
  big: { source: big, destinations: disk }
`;
}

const home = () => ({ HOME: folder, DBBACKUP_STATE_DIR: join(folder, 'state') });
const ours = (...args: string[]): Command => ({
  ...{ command: process.execPath, args: [program, ...args, '--quiet'], cwd: folder, env: home() },
});
const shell = (command: string): Command => ({ command, cwd: folder, env: home() });
const emptyTarget = () => server.sql('DROP DATABASE IF EXISTS target; CREATE DATABASE target;');

function comparisons(): Comparison[] {
  const into = (command: Command): Command => ({ ...command, prepare: emptyTarget });
  const dump = 'mariadb-dump --single-transaction --quick --routines --events --hex-blob --max-allowed-packet=1G';
  const restore = (job: string) => ours('restore', `${job}@latest`, '--to', 'mysql://localhost/target');
  return ['shop', 'big'].flatMap((job) => [
    {
      name: `backup ${job} / mariadb-dump | zstd`,
      ours: ours('run', job),
      theirs: shell(`${dump} ${job} | zstd -q -f -o ${job}.zst`),
    },
    {
      name: `restore ${job} / zstd -d | mariadb`,
      ours: into(restore(job)),
      theirs: into(shell(`zstd -dcq ${job}.zst | mariadb --max-allowed-packet=1G target`)),
    },
  ]);
}
