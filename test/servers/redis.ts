/**
 * Throw-away Redis servers: private data in a temporary folder, a free port on loopback and a socket beside it. Never a
 * standard port, never the system's data. They are asked over a socket, not by the client that is under test.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './postgres.ts';

export type Answer = string | Buffer | number | null | readonly Answer[];

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly socket: string;
  readonly password: string;
  /** Its data folder. */
  readonly folder: string;
  readonly pid: number;
  url(): string;
  /** Strings come back as they are; throws what the server calls an error. */
  ask(...command: readonly (string | Buffer | number)[]): Promise<Answer>;
  /** Several at once, on the same connection; errors are thrown. */
  askAll(commands: readonly (readonly (string | Buffer | number)[])[]): Promise<readonly Answer[]>;
  /** `SHUTDOWN`: the folder stays until `remove`. */
  shutDown(): Promise<void>;
  /** Ends it at once and removes its folder. */
  stop(): Promise<void>;
}

export interface RedisSettings {
  readonly password?: string;
  /** Lines of its configuration. */
  readonly lines?: readonly string[];
  /** An existing data folder, which then stays. */
  readonly folder?: string;
  readonly program?: string;
}

/** Takes some 50 ms; the caller stops it. */
export async function startRedis(settings: RedisSettings = {}): Promise<RedisServer> {
  const { password = 'Pw-redis', lines = [], program = 'redis-server' } = settings;
  // Short: the path of a Unix socket may not exceed 107 bytes.
  const folder = settings.folder ?? (await mkdtemp(join(tmpdir(), 'dbb-redis-')));
  const [port, socket] = [await freePort(), join(folder, 'sock')];
  const child = spawn(program, ['-'], { stdio: ['pipe', 'ignore', 'ignore'], cwd: folder, detached: true });
  child.stdin.on('error', () => {});
  child.stdin.end(configuration(folder, port, socket, password, lines));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const connection = new Connection(port, password);
  const stop = async () => {
    connection.close();
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
    if (settings.folder === undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(connection);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ host: '127.0.0.1', port, socket, password, folder, pid: child.pid ?? 0, stop },
    url: () => `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}`,
    ask: async (...command) => (await connection.ask([command]))[0] ?? null,
    askAll: (commands) => connection.ask(commands),
    async shutDown() {
      await connection.ask([['SHUTDOWN', 'SAVE']]).catch(() => {});
      await exited;
    },
  };
}

function configuration(
  folder: string,
  port: number,
  socket: string,
  password: string,
  lines: readonly string[],
): string {
  const hex = [...Buffer.from(password)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return [
    ...['bind 127.0.0.1', `port ${port}`, `unixsocket ${socket}`, `dir ${folder}`, 'save ""', 'appendonly no'],
    ...['repl-diskless-sync-delay 0', 'enable-debug-command yes', 'daemonize no', 'logfile log'],
    ...(password === '' ? [] : [`requirepass "${hex}"`]),
    ...lines,
    '',
  ].join('\n');
}

async function ready(connection: Connection): Promise<void> {
  let last: unknown;
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await delay(10)) {
    try {
      await connection.ask([['PING']]);
      return;
    } catch (error) {
      last = error;
    }
  }
  throw new Error('the Redis test server did not become ready', { cause: last });
}

/** RESP 2 over one connection, opened when it is first needed. */
class Connection {
  readonly #port: number;
  readonly #password: string;
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);

  constructor(port: number, password: string) {
    this.#port = port;
    this.#password = password;
  }

  async ask(commands: readonly (readonly (string | Buffer | number)[])[]): Promise<readonly Answer[]> {
    const isNew = this.#socket === undefined;
    const socket = this.#socket ?? connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    const all = isNew && this.#password !== '' ? [['AUTH', this.#password], ...commands] : commands;
    try {
      const answers = await this.#exchange(socket, all);
      const wanted = answers.slice(all.length - commands.length);
      const failed = answers.find((answer) => answer instanceof Error);
      if (failed instanceof Error) throw failed;
      return wanted as readonly Answer[];
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #exchange(socket: Socket, commands: readonly (readonly (string | Buffer | number)[])[]) {
    return new Promise<readonly (Answer | Error)[]>((resolve, reject) => {
      const answers: (Answer | Error)[] = [];
      const chunks: Buffer[] = [this.#received];
      let [bytes, wanted] = [this.#received.length, 0];
      const onData = (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes < wanted) return;
        const received = Buffer.concat(chunks.splice(0));
        let at = 0;
        wanted = 0;
        while (answers.length < commands.length) {
          const found = parse(received, at);
          if (typeof found === 'number') {
            wanted = found - at;
            break;
          }
          answers.push(found.answer);
          at = found.end;
        }
        chunks.push(received.subarray(at));
        bytes = received.length - at;
        if (answers.length === commands.length) done(() => resolve(answers));
      };
      const onEnd = (error?: Error) => done(() => reject(error ?? new Error('the server closed the connection')));
      const done = (settle: () => void) => {
        this.#received = Buffer.concat(chunks);
        socket.off('data', onData).off('error', onEnd).off('close', onEnd);
        settle();
      };
      socket.on('data', onData).on('error', onEnd).on('close', onEnd);
      socket.write(Buffer.concat(commands.flatMap(request)));
    });
  }

  close(): void {
    this.#socket?.on('error', () => {});
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#received = Buffer.alloc(0);
  }
}

function request(command: readonly (string | Buffer | number)[]): Buffer[] {
  const words = command.map((word) => (Buffer.isBuffer(word) ? word : Buffer.from(String(word))));
  const lines = words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n')]);
  return [Buffer.from(`*${words.length}\r\n`), ...lines];
}

/** One answer from `at` on; a number: at least so far the bytes must reach. */
function parse(bytes: Buffer, at: number): { readonly answer: Answer | Error; readonly end: number } | number {
  const lineEnd = bytes.indexOf('\r\n', at);
  if (lineEnd === -1) return bytes.length + 1;
  const line = bytes.toString('utf8', at + 1, lineEnd);
  const next = lineEnd + 2;
  const kind = String.fromCharCode(bytes[at] ?? 0);
  if (kind === '+') return { answer: line, end: next };
  if (kind === '-') return { answer: new Error(line), end: next };
  if (kind === ':') return { answer: Number(line), end: next };
  const length = Number(line);
  if (length === -1) return { answer: null, end: next };
  if (kind === '$') {
    const end = next + length;
    return bytes.length < end + 2 ? end + 2 : { answer: bytes.subarray(next, end), end: end + 2 };
  }
  const items: Answer[] = [];
  let end = next;
  for (let left = length; left > 0; left -= 1) {
    const found = parse(bytes, end);
    if (typeof found === 'number') return found;
    items.push(found.answer instanceof Error ? found.answer.message : found.answer);
    end = found.end;
  }
  return { answer: items, end };
}

const databases = 16;

/** All that is in the server: what DUMP says of each key and when it expires, and the functions. */
export async function fingerprintOf(server: RedisServer): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (let database = 0; database < databases; database += 1) {
    const [, keys] = (await server.askAll([
      ['SELECT', database],
      ['KEYS', '*'],
    ])) as readonly [Answer, Buffer[]];
    for (const key of keys) found[`${database} ${key.toString('latin1')}`] = await describe(server, key);
  }
  await server.ask('SELECT', 0);
  const libraries = (await server.ask('FUNCTION', 'DUMP').catch(() => '')) as Buffer;
  return { ...found, functions: hash(libraries) };
}

async function describe(server: RedisServer, key: Buffer): Promise<string> {
  const [type, encoding, expires] = await server.askAll([
    ['TYPE', key],
    ['OBJECT', 'ENCODING', key],
    ['PEXPIRETIME', key],
  ]);
  // A string that has been changed lies in memory in another way than one that was loaded.
  const form = type === 'string' ? '' : encoding;
  return `${type} ${form} ${expires} ${hash(await content(server, key, `${type}`, `${encoding}`))}`;
}

/** Hash tables have an order of their own in each server. */
async function content(server: RedisServer, key: Buffer, type: string, encoding: string): Promise<Buffer> {
  if (encoding !== 'hashtable') return (await server.ask('DUMP', key)) as Buffer;
  const items = (await server.ask(type === 'set' ? 'SMEMBERS' : 'HGETALL', key)) as Buffer[];
  const hex = items.map((item) => item.toString('hex'));
  const rows = type === 'set' ? hex : hex.flatMap((item, at) => (at % 2 === 0 ? [`${item}=${hex[at + 1]}`] : []));
  return Buffer.from(rows.sort().join('\n'));
}

function hash(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
