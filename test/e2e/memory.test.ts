/**
 * Peak memory does not grow with the database: kernel's own account (VmHWM) of every process of a run, sampled.
 * DBBACKUP_TEST_MEGABYTES: size of the larger database (default 120; `npm run soak` takes 1000).
 * DBBACKUP_TEST_ROW_MEGABYTES: size of one row in MariaDB (default 40; `npm run soak` takes 100). Its own client has to
 * hold a row, so there only our processes count.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MariadbServer, startMariadb } from '../servers/mariadb.ts';
import { createdDatabase } from '../servers/mariadb-source.ts';
import { type RedisServer, startRedis } from '../servers/redis.ts';
import { fillNoise } from '../servers/sqlite-nasty.ts';
import { processesOf } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

const large = Number(process.env['DBBACKUP_TEST_MEGABYTES'] ?? 120);
const small = Math.round(large / 10);
const rowMegabytes = Number(process.env['DBBACKUP_TEST_ROW_MEGABYTES'] ?? 40);
const limitMb = 150;
/** The thread that seals or opens has a heap of its own. */
const sealedLimitMb = 170;
/** What garbage collection and the allocator may make of the same work. */
const noiseMb = 40;

describe('peak memory', { timeout: 120_000 + large * 2_000 }, () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await makeWorkplace();
    await place.configure(`
sources: { small: { type: sqlite, path: small.sqlite }, large: { type: sqlite, path: large.sqlite } }
destinations: { disk: { type: local, path: backups } }
encryption: { sealed: { type: aes-256-gcm, keyFile: backup.key } }
jobs:
  small: { source: small, destinations: disk }
  large: { source: large, destinations: disk }
  small-sealed: { source: small, destinations: disk, encryption: sealed }
  large-sealed: { source: large, destinations: disk, encryption: sealed }
`);
    expectCode(await place.run('keygen', 'backup.key', '--type', 'aes-256-gcm'), 0);
    fillNoise(place.path('small.sqlite'), small);
    fillNoise(place.path('large.sqlite'), large);
  }, 300_000);
  afterAll(() => place.remove());

  const commands: readonly (readonly [string, (job: string) => string[]])[] = [
    ['run', (job) => ['run', job]],
    ['verify', (job) => ['verify', `${job}@latest`]],
    ['restore', (job) => ['restore', `${job}@latest`, '--to', `${job}.restored`]],
  ];
  const kinds = (
    [
      ['', limitMb],
      ['-sealed', sealedLimitMb],
    ] as const
  ).flatMap(([kind, most]) => commands.map(([name, command]) => [`${name}${kind}`, most, kind, command] as const));

  test.each(kinds)(`%s: at most %i MB, for ${small} MB as for ${large} MB`, async (name, most, kind, command) => {
    const peaks = {
      small: await peakOf(place, ...command(`small${kind}`)),
      large: await peakOf(place, ...command(`large${kind}`)),
    };
    process.stdout.write(`memory: ${name} of ${small} MB ${peaks.small} MB, of ${large} MB ${peaks.large} MB\n`);
    expect(peaks.small).toBeGreaterThan(20);
    expect(peaks.large).toBeLessThanOrEqual(most);
    expect(peaks.large).toBeLessThanOrEqual(peaks.small + noiseMb);
  });
});

describe('peak memory with one long row in MariaDB', { timeout: 60_000 + rowMegabytes * 5_000 }, () => {
  let place: Workplace;
  let server: MariadbServer;
  beforeAll(async () => {
    server = await startMariadb(['max_allowed_packet=1G', 'innodb_log_file_size=1G']);
    place = await makeWorkplace({ DB_PASSWORD: server.password });
    const source = (name: string) =>
      `${name}: { type: mysql, host: ${server.host}, port: ${server.port}, user: root, password: "\${DB_PASSWORD}", database: ${name} }`;
    await place.configure(`
sources: { ${source('short')}, ${source('long')} }
destinations: { disk: { type: local, path: backups } }
jobs: { short: { source: short, destinations: disk }, long: { source: long, destinations: disk } }
`);
    for (const [name, megabytes] of [
      ['short', 1],
      ['long', rowMegabytes],
    ] as const) {
      const half = `repeat(sha2('x', 512), ${Math.round((megabytes * 1e6) / 256)})`;
      const row = `CREATE TABLE r (id int, words longtext, bytes longblob); INSERT INTO r VALUES (1, ${half}, ${half});`;
      await createdDatabase(server, name, row);
    }
  }, 300_000);
  afterAll(async () => {
    await place.remove();
    await server.stop();
  });

  const checksum = async (database: string) =>
    (await server.sql('CHECKSUM TABLE r EXTENDED', database)).split('\t').at(-1);

  test.each([
    ['run', (job: string) => ['run', job]],
    ['verify', (job: string) => ['verify', `${job}@latest`]],
    ['restore', (job: string) => ['restore', `${job}@latest`, '--to', job, '--database', `${job}_back`, '--create']],
  ])(`%s: at most ${limitMb} MB with a row of ${rowMegabytes} MB`, async (name, command) => {
    const peaks = {
      short: await peakOf(place, ...command('short')),
      long: await peakOf(place, ...command('long')),
    };
    process.stdout.write(
      `memory: ${name} of a row of 1 MB ${peaks.short} MB, of ${rowMegabytes} MB ${peaks.long} MB\n`,
    );
    expect(peaks.short).toBeGreaterThan(20);
    expect(peaks.long).toBeLessThanOrEqual(limitMb);
    expect(peaks.long).toBeLessThanOrEqual(peaks.short + noiseMb);
    if (name === 'restore') expect(await checksum('long_back')).toBe(await checksum('long'));
  });
});

/** Redis takes no value of more than 512 MB. */
const largeValue = Math.min(400, Math.round(large / 2));
const smallValue = Math.round(largeValue / 10);

describe('peak memory with one value of a Redis', { timeout: 120_000 + large * 2_000 }, () => {
  let place: Workplace;
  let servers: readonly RedisServer[] = [];
  beforeAll(async () => {
    place = await makeWorkplace({ REDISCLI_AUTH: 'Pw-redis' });
    servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
    const [few, many, target] = servers.map(({ port }) => `{ type: redis, port: ${port} }`);
    await place.configure(`
sources: { small: ${few}, large: ${many}, target: ${target} }
destinations: { disk: { type: local, path: backups } }
jobs:
  small: { source: small, destinations: disk, compression: none }
  large: { source: large, destinations: disk, compression: none }
`);
    for (const [at, megabytes] of [smallValue, largeValue].entries()) {
      await servers[at]?.ask('SET', 'value', randomBytes(megabytes * 1_000_000));
    }
  }, 300_000);
  afterAll(async () => {
    await place?.remove();
    await Promise.all(servers.map((server) => server.stop()));
  });

  test.each([
    ['run', (job: string) => ['run', job]],
    ['restore', (job: string) => ['restore', `${job}@latest`, '--to', 'target', '--clean', '--yes']],
  ])(`%s: no more for ${largeValue} MB than for ${smallValue} MB`, async (name, command) => {
    const peaks = { small: await peakOf(place, ...command('small')), large: await peakOf(place, ...command('large')) };
    process.stdout.write(
      `memory: redis ${name} of ${smallValue} MB ${peaks.small} MB, of ${largeValue} MB ${peaks.large} MB\n`,
    );
    expect(peaks.small).toBeGreaterThan(20);
    expect(peaks.large).toBeLessThanOrEqual(peaks.small + noiseMb);
  });
});

/** Of Node's processes; the clients of databases are not ours. */
async function peakOf(place: Workplace, ...args: string[]): Promise<number> {
  const { ended } = place.start(args);
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, ...processesOf(place).filter(isNode).map(peakMbOf));
  }, 15);
  expectCode(await ended.finally(() => clearInterval(watch)), 0);
  return peak;
}

function isNode(pid: number): boolean {
  try {
    return realpathSync(`/proc/${pid}/exe`) === realpathSync(process.execPath);
  } catch {
    return false;
  }
}

/** MB (10^6 bytes); 0 for one that has ended. */
function peakMbOf(pid: number): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0;
    return Math.round((Number(kib) * 1024) / 1e6);
  } catch {
    return 0;
  }
}
