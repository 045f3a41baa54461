/**
 * Throw-away SFTP servers on loopback, each behind a TCP fault proxy: OpenSSH's sshd with host keys of its own, run by
 * and for the user that runs the tests, and `rclone serve sftp`. Nothing of the machine's own SSH set-up is used.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RcloneOptions } from '../../src/destination/rclone/options.ts';
import type { SftpOptions } from '../../src/destination/sftp/options.ts';
import { freePort } from './postgres.ts';
import { startTcpFaultProxy, type TcpFaultProxy } from './tcp-fault-proxy.ts';

const run = promisify(execFile);
const sshd = '/usr/sbin/sshd';

export type HostKeyType = 'ed25519' | 'ecdsa' | 'rsa';

export interface SftpServer {
  readonly proxy: TcpFaultProxy;
  /** What reaches the store through the proxy. */
  readonly options: SftpOptions & { readonly privateKeyFile: string; readonly knownHosts: string };
  /** A folder for keys and such. */
  readonly folder: string;
  /** The stored files, past the server. */
  readonly root: string;
  /** Public host key, as `ssh-keyscan` would print it behind the name. */
  hostKey(type: HostKeyType): Promise<string>;
  /** Kills the server and everything that serves a connection. */
  kill(): Promise<void>;
  /** Does nothing while it runs. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface SftpServerOptions {
  /** Lines for sshd_config. */
  readonly config?: string;
  readonly hostKeys?: readonly HostKeyType[];
  /** Put before sshd: `strace …`. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** OpenSSH. Takes about half a second; the caller stops it. */
export async function startSshd(options: SftpServerOptions = {}): Promise<SftpServer> {
  if (!existsSync(sshd)) throw new Error('OpenSSH is not installed: node test/servers/install.js');
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  return startServer(options, async (folder, port) => {
    const config = `
ListenAddress 127.0.0.1
Port ${port}
${(options.hostKeys ?? ['ed25519']).map((type) => `HostKey ${join(folder, `host_${type}`)}`).join('\n')}
PidFile none
AuthorizedKeysFile ${join(folder, 'authorized_keys')}
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp internal-sftp
MaxStartups 100
${options.config ?? ''}
`;
    await writeFile(join(folder, 'sshd_config'), config);
    return [...(options.under ?? []), sshd, '-D', '-e', '-f', join(folder, 'sshd_config')];
  });
}

/** `rclone serve sftp`: knows neither fsync nor exclusive creation, and overwrites when renaming. */
export async function startRcloneSftp(login?: { user: string; password: string }): Promise<SftpServer> {
  const env: Record<string, string> =
    login === undefined ? {} : { RCLONE_USER: login.user, RCLONE_PASS: login.password };
  return startServer({ env }, async (folder, port) => [
    ...['rclone', 'serve', 'sftp', '--addr', `127.0.0.1:${port}`, '--key', join(folder, 'host_ed25519')],
    ...['--authorized-keys', join(folder, 'authorized_keys'), '--dir-cache-time', '0', join(folder, 'root')],
  ]);
}

async function startServer(
  { hostKeys = ['ed25519'], env = {} }: SftpServerOptions,
  prepare: (folder: string, port: number) => Promise<readonly string[]>,
): Promise<SftpServer> {
  const folder = await mkdtemp(join(tmpdir(), 'dbb-sftp-'));
  const root = join(folder, 'root');
  await mkdir(root);
  for (const type of hostKeys) await makeKey(join(folder, `host_${type}`), type);
  await makeKey(join(folder, 'client'), 'ed25519');
  await writeFile(join(folder, 'authorized_keys'), await readFile(join(folder, 'client.pub')));
  const port = await freePort();
  const [command = '', ...args] = await prepare(folder, port);
  const proxy = await startTcpFaultProxy(port);
  const hostKey = async (type: HostKeyType) =>
    (await readFile(join(folder, `host_${type}.pub`), 'utf8')).split(' ').slice(0, 2).join(' ');
  const lines = await Promise.all(hostKeys.map(hostKey));
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(knownHosts, lines.map((key) => `[127.0.0.1]:${proxy.port} ${key}\n`).join(''));

  let server: ReturnType<typeof startProgram> | undefined;
  const kill = async () => {
    await server?.kill();
    server = undefined;
  };
  const start = async () => {
    if (server?.over === false) return;
    server = startProgram(command, args, { ...env, RCLONE_CONFIG: join(folder, 'no-rclone.conf') });
    await ready(port, server);
  };
  const stop = async () => {
    await proxy.close();
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    proxy,
    folder,
    root,
    hostKey,
    kill,
    start,
    stop,
    options: {
      host: '127.0.0.1',
      port: proxy.port,
      user: userInfo().username,
      // rclone shows its folder as the root of everything.
      path: command === 'rclone' ? '/store' : join(root, 'store'),
      privateKeyFile: join(folder, 'client'),
      knownHosts,
    },
  };
}

/** The same store, reached by rclone: a remote that is defined in its environment alone. */
export function rcloneOptionsFor({ options }: SftpServer): RcloneOptions {
  const { host, port, user, privateKeyFile, knownHosts, path } = options;
  return {
    remote: `vault:${path}`,
    config: '/dev/null',
    environment: {
      RCLONE_CONFIG_VAULT_TYPE: 'sftp',
      RCLONE_CONFIG_VAULT_HOST: host,
      RCLONE_CONFIG_VAULT_PORT: String(port),
      RCLONE_CONFIG_VAULT_USER: String(user),
      RCLONE_CONFIG_VAULT_KEY_FILE: privateKeyFile,
      RCLONE_CONFIG_VAULT_KNOWN_HOSTS_FILE: knownHosts,
      RCLONE_CONFIG_VAULT_SHELL_TYPE: 'none',
    },
  };
}

/** Without a passphrase unless one is given. */
export async function makeKey(path: string, type: HostKeyType, passphrase = ''): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', path]);
}

function startProgram(command: string, args: readonly string[], more: Readonly<Record<string, string>>) {
  const env = { ...process.env, ...more };
  const all = ['--pdeathsig=KILL', command, ...args];
  const child = spawn('setpriv', all, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/', env });
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    get over() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    said: () => Buffer.concat(said).toString(),
    async kill() {
      // What serves the connections is in sessions of its own, and would outlive its parent.
      for (const pid of await familyOf(Number(child.pid))) kill(pid);
      await exited;
    },
  };
}

/** A process and all its descendants. */
async function familyOf(pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-e', '-o', 'pid=,ppid=']);
  const rows = stdout.split('\n').map((row) => row.trim().split(/\s+/).map(Number));
  const family = [pid];
  for (const member of family) {
    for (const [child = 0, parent] of rows) if (parent === member) family.push(child);
  }
  return family;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

async function ready(port: number, server: { readonly over: boolean; said(): string }): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline && !server.over; await delay(20)) {
    if (await answers(port)) return;
  }
  throw new Error(`the SFTP test server did not become ready: ${server.said()}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
