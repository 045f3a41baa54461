/**
 * S3 against a local folder and against the shell: PostgreSQL to OpenStack Swift on this machine and back, and to a server
 * that swallows everything, so that it cannot be the limit. BENCH_MB: size of the data (default 500). BENCH_ROUNDS: counted
 * pairs (default 3). curl uses signed addresses of the same store.
 */
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { S3 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { type SwallowingS3, startSwallowingS3 } from '../servers/swallowing-s3.ts';
import { type SwiftServer, startSwift } from '../servers/swift.ts';
import { type Command, type Comparison, compare, measure, type Row, table } from './measure.ts';
import { fillShop } from './shop.ts';

const megabytes = Number(process.env['BENCH_MB'] ?? 500);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const only = process.env['BENCH_ONLY'] ?? '';
const program = resolve(import.meta.dirname, '../../bin/dbbackup.js');

let folder: string;
let server: PostgresServer;
let swift: SwiftServer;
let sink: SwallowingS3;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-bench-'));
  swift = await startSwift({ maxParts: 10_000, pageSize: 1000 });
  sink = await startSwallowingS3();
  server = await startPostgres({ settings: ['shared_buffers = 512MB'] });
  await server.sql('CREATE DATABASE shop');
  await server.sql(fillShop(megabytes), 'shop');
  await makeBucket();
  await writeFile(join(folder, 'dbbackup.yaml'), config(), { mode: 0o600 });
});

afterAll(async () => {
  await server?.stop();
  await swift?.stop();
  await sink?.close();
  await rm(folder, { recursive: true, force: true });
});

async function makeBucket(): Promise<void> {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const { endpoint, accessKeyId, secretAccessKey } = swift;
  const client = new S3({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.createBucket({ Bucket: 'backups' });
  client.destroy();
}

function config(): string {
  const s3 = (options: object) => JSON.stringify({ type: 's3', ...options });
  const { endpoint, accessKeyId, secretAccessKey } = swift;
  const job = (name: string, destination: string) =>
    `  ${name}: { source: shop, format: plain, destinations: ${destination} }\n`;
  return `sources:
  shop: { type: postgres, url: "${server.url('shop')}" }
destinations:
  disk: { type: local, path: ./backups }
  swift: ${s3({ bucket: 'backups', endpoint, accessKeyId, secretAccessKey })}
  sink: ${s3(sink.options)}
jobs:
${job('to-disk', 'disk')}${job('to-swift', 'swift')}${job('to-sink', 'sink')}state: { dir: ./state }
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
  env: {
    PGPASSWORD: server.password,
    PGHOST: server.host,
    PGPORT: String(server.port),
    PGUSER: server.user,
    GET_URL: signed('GET', '/backups/shell.sql.zst'),
    PUT_URL: signed('PUT', '/backups/shell.sql.zst'),
  },
});

/** An address that needs no further key for a day (signature version 2, which every tool of old can make). */
function signed(method: string, path: string): string {
  const expires = Math.floor(Date.now() / 1000) + 86_400;
  const signature = createHmac('sha1', swift.secretAccessKey)
    .update(`${method}\n\n\n${expires}\n${path}`)
    .digest('base64');
  const query = new URLSearchParams({
    AWSAccessKeyId: swift.accessKeyId,
    Expires: String(expires),
    Signature: signature,
  });
  return `${swift.endpoint}${path}?${query}`;
}

const emptyTarget = async () => {
  await server.sql('DROP DATABASE IF EXISTS target');
  await server.sql('CREATE DATABASE target');
};

function comparisons(): Comparison[] {
  const target = `postgres://${server.user}@${server.host}:${server.port}/target`;
  const into = (command: Command): Command => ({ ...command, prepare: emptyTarget });
  const toDisk = ours('run', 'to-disk', '--quiet');
  const upload = 'pg_dump shop | zstd -3 -q | curl -sSf -T - "$PUT_URL" -o upload.log';
  const download = 'curl -sSf "$GET_URL" | zstd -dcq';
  return [
    { name: 'backup to a swallowing S3 / to a local folder', ours: ours('run', 'to-sink', '--quiet'), theirs: toDisk },
    { name: 'backup to Swift / to a local folder', ours: ours('run', 'to-swift', '--quiet'), theirs: toDisk },
    {
      name: 'backup to Swift / pg_dump | zstd -3 | curl -T',
      ours: ours('run', 'to-swift', '--quiet'),
      theirs: shell(upload),
    },
    {
      name: 'restore from Swift / curl | zstd -d | psql -1',
      ours: into(ours('restore', 'to-swift@latest', '--to', target, '--quiet')),
      theirs: into(shell(`${download} | psql -X -q -1 -v ON_ERROR_STOP=1 -o /dev/null target`)),
    },
  ];
}

it('measures', async () => {
  // What is restored has to be there, whichever comparisons are run.
  await measure(ours('run', 'to-swift', '--quiet'));
  await measure(comparisons()[2]?.theirs as Command);
  const rows: Row[] = [];
  for (const comparison of comparisons()) {
    if (!comparison.name.includes(only)) continue;
    rows.push(await compare(comparison, rounds));
    process.stdout.write(`\n${table(rows.slice(-1))}\n`);
  }
  process.stdout.write(`\nPostgreSQL ${server.major}, ${megabytes} MB, ${rounds} rounds\n${table(rows)}\n`);
});
