/**
 * kill -9 at random moments, and stored files that are cut or flipped at random places, through the built program.
 * DBBACKUP_TEST_KILLS rounds of each (4; the soak runs take 50), DBBACKUP_TEST_SEED to repeat one.
 */
import { readFileSync } from 'node:fs';
import { copyFile, open, readFile, rm, truncate } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomNumbers } from '../contract/destination/sample.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { nastySql } from '../servers/postgres-nasty.ts';
import { createdDatabase, fingerprintOf } from '../servers/postgres-source.ts';
import { backupsOf, filesIn, historyOf, processesOf, sha256 } from './aftermath.ts';
import { expectCode, makeWorkplace, type Run, type Workplace } from './cli.ts';

const rounds = Number(process.env['DBBACKUP_TEST_KILLS'] ?? 4);
const seed = Number(process.env['DBBACKUP_TEST_SEED'] ?? Date.now() % 100_000);
const formats = ['custom', 'plain'] as const;
const timeout = 60_000 + rounds * 60_000;

/** About 16 MB that look random: long enough to be hit, too much for the pipes and buffers on the way. */
const noiseSql = `CREATE TABLE noise AS SELECT i, (SELECT string_agg(md5((i * 1000 + j)::text), '') FROM generate_series(1, 62) j) AS value
  FROM generate_series(1, 8000) i; CREATE INDEX ON noise (md5(value)); ALTER TABLE noise ADD PRIMARY KEY (i);`;

const config = `
sources:
  noise: { type: postgres, url: "\${NOISE_URL}" }
  nasty: { type: postgres, url: "\${NOISE_URL}", database: nasty }
destinations:
  disk: { type: local, path: ./backups }
jobs:
  custom: { source: noise, destinations: disk, retention: { last: 2 } }
  plain: { source: noise, destinations: disk, format: plain, retention: { last: 2 } }
  nasty-custom: { source: nasty, destinations: disk, compression: none }
  nasty-plain: { source: nasty, destinations: disk, format: plain, compression: none }
  zstd-custom: { source: nasty, destinations: disk }
  zstd-plain: { source: nasty, destinations: disk, format: plain }
`;

let server: PostgresServer;
let place: Workplace;
const random = randomNumbers(seed);

beforeAll(async () => {
  // What was committed must survive the kill of the server, as it does where the data matters.
  server = await startPostgres({ settings: ['synchronous_commit = on'] });
  place = await makeWorkplace({ NOISE_URL: server.url('noise'), PGPASSWORD: server.password });
  await place.configure(config);
  await createdDatabase(server, 'noise', noiseSql, place.folder);
  await createdDatabase(server, 'nasty', nastySql(), place.folder);
  await server.sql('CHECKPOINT');
});
afterAll(async () => {
  await server?.stop();
  await place?.remove();
});

const urlOf = (database: string) => `postgres://postgres@${server.host}:${server.port}/${encodeURIComponent(database)}`;

/** Until nothing that was started for this workplace lives. Children notice a death at their next byte. */
async function untilGone(): Promise<void> {
  for (const deadline = Date.now() + 30_000; processesOf(place).length > 0; await delay(50)) {
    if (Date.now() > deadline) throw new Error(`left behind: ${processesOf(place).map(commandLine).join('; ')}`);
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Runs it to its end; ms. */
const started = async (args: string[]) => {
  const begin = performance.now();
  expectCode(await place.run(...args), 0);
  return performance.now() - begin;
};

type Victim = 'dbbackup' | 'client' | 'server';
const victims: readonly Victim[] = ['dbbackup', 'client', 'server'];

/** Starts it, kills one of the three within the time that it takes undisturbed, and waits for the dust to settle. */
async function interrupted(args: string[], victim: Victim, usualMs: number): Promise<Run> {
  const { child, ended } = place.start(args);
  let over = false;
  void ended.then(() => {
    over = true;
  });
  await Promise.race([delay(random(Math.ceil(usualMs))), ended]);
  if (victim === 'dbbackup') child.kill('SIGKILL');
  else if (victim === 'server') await server.kill();
  else {
    const clients = () => processesOf(place).filter((pid) => /^\S*\/(pg_dump|pg_restore|psql) /.test(commandLine(pid)));
    while (!over && clients().length === 0) await delay(5);
    for (const pid of clients()) process.kill(pid, 'SIGKILL');
  }
  const run = await ended;
  await untilGone();
  if (victim === 'server') await server.start();
  return run;
}

const completeKeys = async () =>
  (await backupsOf(place)).filter((each) => each.condition === 'complete').map((each) => each.key);

test(`F24 ${rounds} kills during backups, seed ${seed}: nothing false is listed, the next run works`, {
  timeout,
}, async () => {
  const usual = { custom: await started(['run', 'custom']), plain: await started(['run', 'plain']) };
  const told = { done: 0, failed: 0, killed: 0, publishedBeforeTheKill: 0 };
  for (let round = 0; round < rounds; round++) {
    const [victim, job] = [
      victims[round % 3] as Victim,
      formats[Math.floor(round / 3) % 2] as (typeof formats)[number],
    ];
    const about = `round ${round}: ${victim} of ${job}`;
    const before = await completeKeys();
    const run = await interrupted(['run', job], victim, usual[job]);
    const fresh = (await completeKeys()).filter((key) => !before.includes(key));
    if (run.code === 0) told.done++;
    else if (run.signal === 'SIGKILL') told.killed++;
    else told.failed++;
    if (run.signal === 'SIGKILL') told.publishedBeforeTheKill += fresh.length;
    else expect(fresh, `${about}\n${run.stderr}`).toHaveLength(run.code === 0 ? 1 : 0);
    if (run.code !== 0 && run.signal === null) expect(run.code, `${about}\n${run.stderr}`).toBe(3);
    for (const key of fresh) expectCode(await place.run('verify', `disk:${key}`), 0);
    expectCode(await place.run('run', job), 0);
    expect(
      (await backupsOf(place)).filter((each) => each.condition !== 'complete'),
      about,
    ).toEqual([]);
    expect(
      (await historyOf(place)).filter((each) => each.status === 'running'),
      about,
    ).toEqual([]);
  }
  expectCode(await place.run('verify', '--all'), 0);
  expect(await filesIn(place.path('state', 'tmp'))).toEqual({});
  process.stdout.write(`kills during backups, seed ${seed}: ${JSON.stringify(told)}\n`);
});

interface Way {
  readonly name: string;
  readonly flags: readonly string[];
  /** What the target holds before; undefined: it does not exist. */
  readonly sql?: string;
  /** Only the custom format can. */
  readonly archive?: boolean;
}

const ways: readonly Way[] = [
  { name: 'into an empty database', flags: [], sql: '' },
  { name: 'with --clean', flags: ['--clean', '--yes'], sql: 'CREATE TABLE own AS SELECT 42 AS answer' },
  { name: 'with --jobs', flags: ['--jobs', '4'], sql: '', archive: true },
  { name: 'with --create', flags: ['--create'] },
  { name: 'of one table', flags: ['--table', 'noise'], sql: '', archive: true },
];

test(`F40 ${rounds} kills during restores, seed ${seed}: all of it, or the target as it was`, { timeout }, async () => {
  for (const job of formats) expectCode(await place.run('run', job), 0);
  const told = { untouched: 0, complete: 0, leftovers: 0 };
  for (let round = 0; round < rounds; round++) {
    const { name, twin, untouched, command, about } = await killedRestore(round);
    const left = await besides(name);
    told[untouched ? 'untouched' : 'complete']++;
    told.leftovers += left.length;
    if (untouched) {
      const again = expectCode(await place.run(...command), 0);
      for (const each of left) expect(again.stderr, about).toContain(`DROP DATABASE "${each}"`);
    }
    expect(await stateOf(name), about).toBe(twin);
    for (const each of [...(await besides(name)), name]) await server.program('dropdb', ['--', each]);
  }
  process.stdout.write(`kills during restores, seed ${seed}: ${JSON.stringify(told)}\n`);
});

/** One restore in one of the ways, with one victim; throws unless the target is as before or complete. */
async function killedRestore(round: number) {
  const victim = victims[round % 3] as Victim;
  const way = ways[(Math.floor(round / 3) + round) % ways.length] as Way;
  const job = way.archive || round % 2 === 0 ? 'custom' : 'plain';
  const about = `round ${round}: ${victim} of ${job} ${way.name}`;
  const name = `killed ${round}`;
  const { twin, usualMs } = await undisturbed(way, job);
  if (way.sql !== undefined) await createdDatabase(server, name, way.sql, place.folder);
  await server.sql('CHECKPOINT');
  const command = ['restore', `${job}@latest`, '--to', urlOf(name), ...way.flags];
  const before = await stateOf(name);
  const run = await interrupted(command, victim, usualMs);
  await untilQuiet();
  const after = await stateOf(name);
  expect(run.code === 0 ? [twin] : [before, twin], `${about}\n${run.stderr}`).toContain(after);
  return { name, twin, untouched: after === before, command, about };
}

interface Undisturbed {
  readonly twin: string;
  readonly usualMs: number;
}

const known = new Map<string, Undisturbed>();

/** What such a restore gives when nobody disturbs it, and how long it takes. */
async function undisturbed(way: Way, job: string): Promise<Undisturbed> {
  const key = `${way.name} ${job}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const name = `twin ${known.size}`;
  if (way.sql !== undefined) await createdDatabase(server, name, way.sql, place.folder);
  const usualMs = await started(['restore', `${job}@latest`, '--to', urlOf(name), ...way.flags]);
  const made = { twin: await stateOf(name), usualMs };
  known.set(key, made);
  await server.program('dropdb', ['--', name]);
  return made;
}

/** A hash of pg_dump's view; '' for a database that does not exist. */
async function stateOf(name: string): Promise<string> {
  const there = await server.sql(`SELECT count(*) FROM pg_database WHERE datname = '${name}'`);
  return there === '0' ? '' : sha256(await fingerprintOf(server, name));
}

async function besides(name: string): Promise<string[]> {
  const found = await server.sql(`SELECT datname FROM pg_database WHERE datname ~ '^${name}_(restore|before)_'`);
  return found.split('\n').filter((each) => each !== '');
}

/** Until the server has noticed that its clients are gone. */
async function untilQuiet(): Promise<void> {
  const sessions = `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;
  for (const deadline = Date.now() + 30_000; (await server.sql(sessions)) !== '0'; await delay(50)) {
    if (Date.now() > deadline) throw new Error('a session stays at the server');
  }
}

describe('stored files that are damaged', () => {
  beforeAll(async () => {
    expectCode(await place.run('run', 'nasty-custom', 'nasty-plain', 'zstd-custom', 'zstd-plain'), 0);
  });

  const fileOf = async (job: string) => {
    const { key } = (await backupsOf(place)).find((each) => each.key.startsWith(`${job}/`)) ?? { key: '' };
    return place.path('backups', key);
  };

  test.each(
    formats,
  )(`F40 cut in mid-stream at ${rounds} random places, no sidecar, seed ${seed}: the target stays (%s)`, {
    timeout,
  }, async (format) => {
    const name = `cut ${format}`;
    await createdDatabase(server, name, '', place.folder);
    const before = await stateOf(name);
    const stored = await fileOf(`nasty-${format}`);
    const size = (await readFile(stored)).length;
    const file = place.path(stored.split('/').at(-1) ?? '');
    for (let round = 0; round < rounds; round++) {
      const at = 30 + random(size - 31);
      await copyFile(stored, file);
      await truncate(file, at);
      const run = await place.run('restore', file, '--to', urlOf(name));
      expect(expectCode(run, 3).stderr, `cut at ${at}`).toMatch(/not a whole (archive|script)/);
    }
    await untilQuiet();
    expect(await stateOf(name)).toBe(before);
    expectCode(await place.run('restore', stored, '--to', urlOf(name)), 0);
    expect(await stateOf(name)).toBe(await stateOf('nasty'));
  });

  test.each(
    formats,
  )(`F36 flipped at ${rounds} random places, with and without sidecar, seed ${seed}: the target stays (%s)`, {
    timeout,
  }, async (format) => {
    const name = `flipped ${format}`;
    await createdDatabase(server, name, '', place.folder);
    const before = await stateOf(name);
    for (let round = 0; round < rounds; round++) {
      // Without a sidecar only a codec with a checksum can tell.
      const bare = round % 2 === 1;
      const stored = await fileOf(`${bare ? 'zstd' : 'nasty'}-${format}`);
      const file = place.path(stored.split('/').at(-1) ?? '');
      await copyFile(stored, file);
      if (!bare) await copyFile(`${stored}.meta.json`, `${file}.meta.json`);
      const at = await flip(file);
      const { code, stderr } = await place.run('restore', file, '--to', urlOf(name));
      expect([3, 5], `flipped at ${at}: ${stderr}`).toContain(code);
      await rm(file);
      await rm(`${file}.meta.json`, { force: true });
    }
    await untilQuiet();
    expect(await stateOf(name)).toBe(before);
  });

  async function flip(path: string): Promise<number> {
    const file = await open(path, 'r+');
    const { size } = await file.stat();
    const at = random(size);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ (1 << random(8));
    await file.write(byte, 0, 1, at);
    await file.close();
    return at;
  }
});

test('a restore tells of what a killed one has left, and takes another name', async () => {
  await createdDatabase(server, 'marked', 'CREATE TABLE own (i int)', place.folder);
  const id = (await backupsOf(place)).find((each) => each.key.startsWith('nasty-custom/'))?.sidecar?.id.slice(0, 6);
  await createdDatabase(server, `marked_restore_${id}`, 'CREATE TABLE half (i int)', place.folder);
  await createdDatabase(server, `marked_before_${id}`, 'CREATE TABLE own (i int)', place.folder);
  const run = await place.run('restore', 'nasty-custom@latest', '--to', urlOf('marked'), '--clean', '--yes');
  expectCode(run, 0);
  for (const kind of ['restore', 'before']) expect(run.stderr).toContain(`DROP DATABASE "marked_${kind}_${id}"`);
  expect(await stateOf('marked')).toBe(await stateOf('nasty'));
  expect((await besides('marked')).sort()).toEqual([`marked_before_${id}`, `marked_restore_${id}`]);
});
