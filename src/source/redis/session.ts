import { join } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import {
  capture,
  findProgram,
  findRemoteProgram,
  openPrefix,
  type Prefix,
  type ProgramSpec,
} from '../../process/process.ts';
import type { SourceContext } from '../source.ts';
import { explain, refusal } from './failure.ts';
import { connectionParameters, type Parameters, type RedisOptions } from './options.ts';

export interface Client {
  /** `redis-cli` or `valkey-cli`. */
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

export type Command = readonly (string | Buffer)[];

/** What the server answered to one command. */
export interface Reply {
  readonly text: string;
  readonly isError: boolean;
}

const names = ['redis-cli', 'valkey-cli'];
/** A server that does not answer must not hold a run for ever. */
const queryMs = 30_000;
/** No command at all, so that no user needs the right to it: the server's error stands between two replies. */
const divider = 'dbbackup-next-reply';
const dividing = new RegExp(`^\\(error\\) .*${divider}.*\\n`, 'm');

/** The client and the connection of one opened source. Everything asked of the server goes through the client. */
export class Session {
  readonly options: RedisOptions;
  readonly parameters: Parameters;
  #client: Promise<Client> | undefined;

  constructor(options: RedisOptions) {
    this.options = options;
    this.parameters = connectionParameters(options);
  }

  /** For people; no password, no user. */
  get label(): string {
    const { host = '127.0.0.1', port = 6379, socket, tls = 'disable' } = this.parameters;
    const way = this.options.prefix === undefined ? '' : ` by ${this.options.prefix.join(' ')}`;
    return `${tls === 'disable' ? 'redis' : 'rediss'}://${socket ?? `${host}:${port}`}${way}`;
  }

  /** Throws TOOL_MISSING. */
  client(context: SourceContext): Promise<Client> {
    this.#client ??= this.#findClient(context);
    return this.#client;
  }

  /** The client, connected, with this database chosen; the password is in its environment. */
  async spec(context: SourceContext, database = 0): Promise<ProgramSpec> {
    const { path } = await this.client(context);
    const { signal, idleTimeoutMs } = context;
    const { password } = this.parameters;
    const env = { LC_ALL: 'C', ...(password !== undefined && { REDISCLI_AUTH: password }) };
    const args = [...this.#connection(), ...(database === 0 ? [] : ['-n', `${database}`])];
    return { command: path, args, env, prefix: await this.#prefix(signal), signal, idleTimeoutMs };
  }

  /**
   * Runs commands one after the other. Errors of the server are replies; others are thrown. Only questions: the client
   * replaces a lost connection silently, and what came before (SELECT, MULTI) is then no longer true (`send` changes things).
   */
  async ask(commands: readonly Command[], context: SourceContext): Promise<readonly Reply[]> {
    const said = await this.#run(
      commands.flatMap((command) => [command, [divider]]),
      context,
    );
    const replies = said.split(dividing).slice(0, commands.length);
    if (replies.length === commands.length) return replies.map(replyOf);
    const message = `the server ${this.label} did not answer: ${said.trim()}`;
    throw refusal(said, message) ?? new DbBackupError('SOURCE_FAILED', message, { retryable: true });
  }

  async #run(commands: readonly Command[], context: SourceContext): Promise<string> {
    const spec = await this.spec(context);
    const lines = commands.map((command) => `${command.map(quoted).join(' ')}\n`);
    const stdinPrefix = Buffer.from(lines.join(''));
    const operation = `a query to ${this.label}`;
    try {
      const args = [...spec.args, '--no-raw'];
      const { stdout, stderrTail } = await capture({ ...spec, args, stdinPrefix, totalTimeoutMs: queryMs });
      // Such a client goes on, unknown to the server.
      const trouble = /AUTH failed|Could not connect/.test(stderrTail);
      const refused = trouble ? refusal(stderrTail, `${operation} failed: ${stderrTail}`) : undefined;
      if (refused !== undefined) throw refused;
      return stdout;
    } catch (error) {
      throw explain(error, operation);
    }
  }

  #connection(): readonly string[] {
    const { host, port, user, socket, tls } = this.parameters;
    const { tlsCa, tlsCert, tlsKey, tlsServerName } = this.options;
    const isEncrypted = tls === 'require' || tls === 'verify';
    return [
      ...(socket === undefined ? ['-h', host ?? '127.0.0.1', '-p', String(port ?? 6379)] : ['-s', socket]),
      ...(user === undefined ? [] : ['--user', user]),
      ...(isEncrypted ? ['--tls'] : []),
      ...(tls === 'require' ? ['--insecure'] : []),
      ...(isEncrypted && tlsCa !== undefined ? ['--cacert', tlsCa] : []),
      ...(isEncrypted && tlsCert !== undefined ? ['--cert', tlsCert] : []),
      ...(isEncrypted && tlsKey !== undefined ? ['--key', tlsKey] : []),
      ...(isEncrypted && tlsServerName !== undefined ? ['--sni', tlsServerName] : []),
    ];
  }

  async #prefix(signal: AbortSignal): Promise<Prefix | undefined> {
    const { prefix } = this.options;
    return prefix && (await openPrefix(prefix, signal));
  }

  async #findClient({ signal }: SourceContext): Promise<Client> {
    const { clientFolder: folder } = this.options;
    const prefix = await this.#prefix(signal);
    for (const name of names) {
      const wanted = folder === undefined ? name : join(folder, name);
      const path = prefix ? await findRemoteProgram(wanted, prefix, signal) : await findProgram(wanted);
      if (path === undefined) continue;
      const { stdout } = await capture({ command: path, args: ['--version'], prefix, signal });
      return { name, version: /\d+(\.\d+)+/.exec(stdout)?.[0] ?? 'unknown', path };
    }
    const there = prefix === undefined ? '' : ` by "${prefix.words.join(' ')}"`;
    throw new DbBackupError(
      'TOOL_MISSING',
      `neither redis-cli nor valkey-cli was found ${folder === undefined ? 'on PATH' : `in ${folder}`}${there}`,
      { hint: 'Install it: apt-get install redis-tools (or valkey-tools), brew install redis; or set "clientFolder".' },
    );
  }
}

/** As the client's lines have it: any byte can be written. */
function quoted(argument: string | Buffer): string {
  const bytes = Buffer.from(argument as string);
  const escaped = [...bytes].map((byte) =>
    /[\w.:*?+-]/.test(String.fromCharCode(byte)) && byte < 0x80
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  return `"${escaped.join('')}"`;
}

function replyOf(text: string): Reply {
  // Of INFO the client shows an error bare.
  const isError = /^(\s*\d+\) )*\(error\) /m.test(text) || /^(NOPERM|NOAUTH|LOADING|MASTERDOWN) /.test(text);
  return { text: text.trimEnd(), isError };
}
