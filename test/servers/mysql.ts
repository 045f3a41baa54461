/**
 * Throw-away servers of MySQL itself, with its own programs, where `install.js` could fetch them: a copy of the new data
 * folder that lies beside the programs, a free port on loopback and a socket.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { mysqldArguments, mysqlFolder } from './fetch-mysql.js';
import { freePort } from './postgres.ts';

const run = promisify(execFile);

/** False: its tests are to be skipped, which the suite counts. */
export const hasMysql = existsSync(mysqlFolder);

export interface MysqlServer {
  readonly port: number;
  /** May do everything, over TCP. */
  readonly user: string;
  readonly password: string;
  /** Of mysqldump and mysql. */
  readonly clientFolder: string;
  /** `9.7.4-2`. */
  readonly version: string;
  sql(script: string, database?: string): Promise<string>;
  /** mysqldump or mysql, connected. */
  program(name: string, args: readonly string[], input?: string): Promise<string>;
  stop(): Promise<void>;
}

/** The caller stops it. */
export async function startMysql(): Promise<MysqlServer> {
  const folder = await mkdtemp(join(tmpdir(), 'dbb-mysql-'));
  const [data, socket, clientFolder] = [join(folder, 'data'), join(folder, 'sock'), join(mysqlFolder, 'bin')];
  const [user, password, port] = ['tester', `Pw-${Math.random().toString(36).slice(2)}`, await freePort()];
  await cp(join(mysqlFolder, 'data'), data, { recursive: true });
  const place = [`--socket=${socket}`, `--port=${port}`, `--pid-file=${folder}/pid`, `--tmpdir=${folder}`];
  const own = ['--bind-address=127.0.0.1', '--skip-name-resolve', '--max-allowed-packet=1G', '--event-scheduler=OFF'];
  const server = spawn(join(clientFolder, 'mysqld'), ['--no-defaults', ...mysqldArguments(data), ...place, ...own], {
    stdio: 'ignore',
  });
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const program = async (name: string, args: readonly string[], input = ''): Promise<string> => {
    const connection = ['--no-defaults', '--user=root', `--socket=${socket}`, '--default-character-set=utf8mb4'];
    const started = run(join(clientFolder, name), [...connection, ...args], { maxBuffer: 64 * 1024 * 1024 });
    started.child.stdin?.on('error', () => {});
    started.child.stdin?.end(input);
    return (await started).stdout;
  };
  const sql = async (script: string, database?: string): Promise<string> => {
    const into = database === undefined ? [] : [`--database=${database}`];
    return (
      await program('mysql', ['--batch', '--skip-column-names', '--binary-mode', '--comments', ...into], script)
    ).trimEnd();
  };
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(() => sql(`CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY '${password}'`), server);
    await sql(`GRANT ALL ON *.* TO ${user}@'127.0.0.1' WITH GRANT OPTION;`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, user, password, clientFolder, version: await sql('SELECT VERSION()'), sql, program, stop };
}

async function ready(probe: () => Promise<unknown>, server: ReturnType<typeof spawn>): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline && server.exitCode === null; await delay(50)) {
    try {
      await probe();
      return;
    } catch {
      // Not yet.
    }
  }
  throw new Error('the MySQL test server did not become ready');
}
