/**
 * Throw-away MariaDB servers: private data in a temporary folder, a free port on loopback and a socket beside it. Never
 * a standard port, never the system's data; as root the server runs as `mysql`.
 */
import { execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './postgres.ts';

const run = promisify(execFile);

export interface MariadbServer {
  readonly host: string;
  readonly port: number;
  readonly socket: string;
  /** May do everything, with a password, over TCP and over the socket. */
  readonly user: string;
  readonly password: string;
  /** An option file for its programs. */
  readonly defaultsFile: string;
  /** `10.11.19-MariaDB-0+deb12u1`. */
  readonly version: string;
  /** Of the server; another one after a `start`. */
  readonly pid: number;
  /** `mysql://user:password@host:port/database`. */
  url(database?: string): string;
  /** Runs a script and returns the rows: tabs between the columns, escaped as the client's batch mode has it. */
  sql(script: string, database?: string): Promise<string>;
  /** Runs one of the programs, connected to the server. */
  program(name: string, args: readonly string[], input?: string): Promise<string>;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** After `kill`: again, on the same data, through crash recovery. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** `settings`: lines for the server's section. Takes about three seconds; the caller stops it. */
export async function startMariadb(settings: readonly string[] = []): Promise<MariadbServer> {
  // Short: the path of a Unix socket may not exceed 107 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'dbb-my-'));
  const [data, socket, defaultsFile] = [join(folder, 'data'), join(folder, 'sock'), join(folder, 'client.cnf')];
  const [user, password, port] = ['root', `Pw-${Math.random().toString(36).slice(2)}`, await freePort()];
  const owner = await serverUser();
  await chmod(folder, 0o755);
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  const config = join(folder, 'server.cnf');
  await writeFile(config, serverConfig({ folder, data, socket, port, owner }, settings));
  await writeFile(defaultsFile, `[client]\nsocket=${socket}\nuser=${user}\npassword=${password}\n`, { mode: 0o600 });
  await run(
    'mariadb-install-db',
    [`--defaults-file=${config}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
    { maxBuffer: 16 * 1024 * 1024 },
  );

  const launch = () => {
    const child = spawn('mariadbd', [`--defaults-file=${config}`], { stdio: 'ignore', detached: true });
    return { child, exited: new Promise<void>((resolve) => child.once('exit', () => resolve())) };
  };
  let server = launch();
  const program = async (name: string, args: readonly string[], input = ''): Promise<string> => {
    const started = run(name, [`--defaults-file=${defaultsFile}`, ...args], { maxBuffer: 512 * 1024 * 1024 });
    started.child.stdin?.on('error', () => {});
    started.child.stdin?.end(input);
    return (await started).stdout;
  };
  const sql = async (script: string, database?: string): Promise<string> => {
    const into = database === undefined ? [] : [`--database=${database}`];
    const all = ['--batch', '--skip-column-names', '--binary-mode', '--default-character-set=utf8mb4', ...into];
    return (await program('mariadb', all, script)).trimEnd();
  };
  const stop = async (): Promise<void> => {
    if (server.child.exitCode === null && server.child.signalCode === null) server.child.kill('SIGKILL');
    await server.exited;
    await rm(folder, { recursive: true, force: true });
  };
  const untilReady = (probe: () => Promise<unknown>) => ready(probe, server.exited);
  try {
    // It was made without passwords.
    const args = ['--no-defaults', `--socket=${socket}`, '--user=root', '--execute', passwords(password)];
    await untilReady(() => run('mariadb', args));
  } catch (error) {
    await stop();
    throw error;
  }
  const version = await sql('SELECT VERSION()');
  return {
    ...{ host: '127.0.0.1', port, socket, user, password, defaultsFile, version },
    get pid() {
      return server.child.pid ?? 0;
    },
    url: (database = '') =>
      `mysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    sql,
    program,
    async kill() {
      server.child.kill('SIGKILL');
      await server.exited;
    },
    async start() {
      server = launch();
      await untilReady(() => sql('SELECT 1'));
    },
    stop,
  };
}

function passwords(password: string): string {
  const place = (host: string) => `SET PASSWORD FOR 'root'@'${host}' = PASSWORD('${password}');`;
  return ['127.0.0.1', '::1', 'localhost'].map(place).join(' ');
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The user that the server runs as when we are root; undefined: ourselves. */
async function serverUser(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const ids = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'mysql'])).stdout)));
  return { uid: ids[0] ?? 0, gid: ids[1] ?? 0 };
}

interface Place {
  readonly folder: string;
  readonly data: string;
  readonly socket: string;
  readonly port: number;
  readonly owner: Owner | undefined;
}

function serverConfig({ folder, data, socket, port, owner }: Place, settings: readonly string[]): string {
  return [
    '[mariadbd]',
    ...(owner === undefined ? [] : ['user=mysql']),
    ...[`datadir=${data}`, `socket=${socket}`, `port=${port}`, `pid-file=${folder}/pid`, `tmpdir=${folder}`],
    ...['bind-address=127.0.0.1', 'skip-name-resolve', `log-error=${folder}/log`, 'max-allowed-packet=1G'],
    // Durability is not what is tested here; time is short.
    ...['innodb-flush-log-at-trx-commit=0', 'innodb-log-file-size=96M', 'innodb-buffer-pool-size=128M'],
    ...['sync-frm=0', 'innodb-doublewrite=0', 'performance-schema=0', 'event-scheduler=0', 'local-infile=0'],
    ...settings,
    '',
  ].join('\n');
}

async function ready(probe: () => Promise<unknown>, exited: Promise<void>): Promise<void> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  for (const deadline = Date.now() + 30_000; Date.now() < deadline && !gone; await delay(50)) {
    try {
      await probe();
      return;
    } catch {
      // Not yet.
    }
  }
  throw new Error(`the MariaDB test server ${gone ? 'exited at once' : 'did not become ready'}`);
}
