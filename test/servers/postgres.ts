/**
 * Throw-away PostgreSQL servers: a private cluster in a temporary folder, a free port on loopback and a socket beside
 * it. Never a standard port, never the system's clusters; as root the server runs as `postgres`, which initdb demands.
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { installedMajors, programsOf } from './postgres-programs.ts';

const run = promisify(execFile);

export interface PostgresServer {
  readonly major: number;
  readonly host: string;
  readonly port: number;
  /** Folder of the Unix socket; connections through it need no password. */
  readonly socketDir: string;
  /** Superuser with a password, over TCP. */
  readonly user: string;
  readonly password: string;
  /** Folder of psql, pg_dump and their like: its own, or for a major that has none, those of another. */
  readonly programs: string;
  /** Process id of the postmaster; another one after a `start`. */
  readonly pid: number;
  /** `postgres://user:password@host:port/database`. */
  url(database?: string): string;
  /** Runs SQL through the socket as the superuser and returns psql's unaligned rows. */
  sql(text: string, database?: string): Promise<string>;
  /** Runs one of these programs through the socket as the superuser. */
  program(name: string, args: readonly string[], database?: string): Promise<string>;
  /** `kill -9` of the postmaster and all its children. */
  kill(): Promise<void>;
  /** After `kill`: again, on the same data, through crash recovery. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Without it the newest of Debian's. */
  readonly major?: number;
  /** Lines for postgresql.conf. */
  readonly settings?: readonly string[];
}

/** Takes about a second; the caller stops it. */
export async function startPostgres(options: StartOptions = {}): Promise<PostgresServer> {
  const major = options.major ?? installedMajors().at(-1) ?? 0;
  // Short: the path of a Unix socket may not exceed 107 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'dbb-pg-'));
  const owner = await serverUser();
  const { server: bin, client } = await programsOf(major, commandAs(owner), folder);
  const password = `Pw-${Math.random().toString(36).slice(2)}`;
  await prepare(folder, owner, password);
  const data = join(folder, 'data');
  const port = await freePort();
  await asOwner(owner, join(bin, 'initdb'), [
    ...['-D', data, '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'],
    ...['--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${join(folder, 'password')}`],
  ]);
  await writeFile(join(data, 'postgresql.conf'), settings(folder, port, options.settings ?? []), { flag: 'a' });
  const [command = '', ...args] = [...commandAs(owner), join(bin, 'postgres'), '-D', data];
  const launch = () => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    return { child, exited: new Promise<void>((resolve) => child.once('exit', () => resolve())) };
  };
  let server = launch();

  const environment = { PGHOST: folder, PGPORT: String(port), PGUSER: 'postgres', LC_ALL: 'C.UTF-8' };
  const program = async (name: string, programArgs: readonly string[], database = 'postgres'): Promise<string> => {
    const env = { ...process.env, ...environment, PGDATABASE: database };
    return (await run(join(client, name), [...programArgs], { env, maxBuffer: 512 * 1024 * 1024 })).stdout;
  };
  const stop = async (): Promise<void> => {
    if (server.child.exitCode === null && server.child.signalCode === null) server.child.kill('SIGQUIT');
    await server.exited;
    await rm(folder, { recursive: true, force: true });
  };
  const untilReady = () => ready(() => program('pg_isready', ['-q']), server.exited);
  await untilReady().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    major,
    host: '127.0.0.1',
    port,
    socketDir: folder,
    programs: client,
    user: 'postgres',
    password,
    get pid() {
      return server.child.pid ?? 0;
    },
    url: (database = 'postgres') =>
      `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    sql: async (text, database) =>
      (await program('psql', ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-c', text], database)).trimEnd(),
    program,
    async kill() {
      const { pid } = server.child;
      // 0 would be our own process group.
      if (pid === undefined) throw new Error('the PostgreSQL test server was never started');
      for (const each of [pid, ...childrenOf(pid)]) killed(each);
      await server.exited;
    },
    async start() {
      server = launch();
      await untilReady();
    },
    stop,
  };
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

interface Owner {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The user that the server runs as when we are root; undefined: ourselves. */
async function serverUser(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout)),
  );
  return { name: 'postgres', uid: uid ?? 0, gid: gid ?? 0 };
}

async function prepare(folder: string, owner: Owner | undefined, password: string): Promise<void> {
  await writeFile(join(folder, 'password'), `${password}\n`);
  await chmod(folder, 0o755);
  if (owner === undefined) return;
  await chown(folder, owner.uid, owner.gid);
  await chown(join(folder, 'password'), owner.uid, owner.gid);
}

function settings(folder: string, port: number, more: readonly string[]): string {
  return [
    `listen_addresses = '127.0.0.1'`,
    `port = ${port}`,
    `unix_socket_directories = '${folder}'`,
    ...['fsync = off', 'synchronous_commit = off', 'full_page_writes = off', 'autovacuum = off'],
    ...['shared_buffers = 64MB', 'max_wal_size = 4GB', 'logging_collector = off', 'wal_level = logical'],
    ...more,
    '',
  ].join('\n');
}

/** What goes before a command for it to run as the server's user; setpriv becomes the program, pid and all. */
function commandAs(owner: Owner | undefined): readonly string[] {
  return owner === undefined ? [] : ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
}

async function asOwner(owner: Owner | undefined, program: string, args: readonly string[]): Promise<void> {
  const [command = '', ...all] = [...commandAs(owner), program, ...args];
  await run(command, all, { cwd: '/' });
}

async function ready(probe: () => Promise<unknown>, exited: Promise<void>): Promise<void> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  for (const deadline = Date.now() + 20_000; Date.now() < deadline && !gone; await delay(30)) {
    try {
      await probe();
      return;
    } catch {
      // Not yet.
    }
  }
  throw new Error(`the PostgreSQL test server ${gone ? 'exited at once' : 'did not become ready'}`);
}

/** A port that nobody has at this moment, on loopback. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
