import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  capture,
  findProgram,
  findRemoteProgram,
  openPrefix,
  type Prefix,
  type ProgramSpec,
} from '../../process/process.ts';
import type { SourceContext } from '../source.ts';
import { type Client, chooseClient, chooseLoader, findClients, findFolders } from './client.ts';
import { Connection } from './connection.ts';
import { Conversation } from './conversation.ts';
import { explain, isCrowded } from './failure.ts';
import { connectionParameters, type PostgresOptions } from './options.ts';

type Program = 'psql' | 'pg_dump' | 'pg_dumpall' | 'pg_restore';

export interface Server {
  /** `15.18`. */
  readonly version: string;
  readonly major: number;
}

/** psql as a tool of ours: no start-up file, no prompt, stop at the first error. */
export const psqlArguments = ['--no-psqlrc', '--no-password', '--quiet', '--set=ON_ERROR_STOP=1'];
const rowsOnly = ['--no-align', '--tuples-only'];
const roomTries = 20;
const roomPauseMs = 100;

/** The programs and the connection of one opened source. Everything asked of the server goes through psql. */
export class Session {
  /** By which the server knows those who ask for us, so that they are not taken for users of a database. */
  readonly name: string;
  readonly options: PostgresOptions;
  readonly connection: Connection;
  #clients: Promise<readonly [Client, ...Client[]]> | undefined;
  #client: Client | undefined;
  #hasPostgres: Promise<boolean> | undefined;
  /** By database; of all sessions at this server. */
  #conversations = new Map<string, Promise<Conversation>>();

  constructor(options: PostgresOptions, connection?: Connection, name = `dbbackup ${randomUUID().slice(0, 8)}`) {
    this.options = options;
    this.name = name;
    const environment = options.prefix === undefined ? process.env : undefined;
    this.connection = connection ?? new Connection(connectionParameters(options), environment);
  }

  /** At another database of the same server, with the programs that have been found. */
  at(database: string): Session {
    const other = new Session(this.options, this.connection.at(database), this.name);
    other.#clients = this.#clients;
    other.#client = this.#client;
    other.#hasPostgres = this.#hasPostgres;
    other.#conversations = this.#conversations;
    return other;
  }

  /** Picks the programs that can dump this server. Throws TOOL_TOO_OLD. */
  async suit(server: Server, context: SourceContext): Promise<Client> {
    this.#client = chooseClient(await this.#found(context), server.major, server.version);
    return this.#client;
  }

  /** Picks the programs that load into this server best, and can read a dump of `oldest`. Throws TOOL_TOO_OLD. */
  async suitToLoad(server: Server, context: SourceContext, oldest?: number): Promise<Client> {
    this.#client = chooseLoader(await this.#found(context), server.major, oldest);
    return this.#client;
  }

  /** What was picked to suit the server, and before that the newest psql, which speaks with every server. */
  async spec(program: Program, context: SourceContext): Promise<Omit<ProgramSpec, 'args' | 'env'>> {
    const folder = this.#client?.folder ?? (await this.#anyFolder(program, context));
    const { signal, idleTimeoutMs } = context;
    return { command: join(folder, program), signal, idleTimeoutMs, prefix: await this.#prefix(context) };
  }

  /** Whether a program is there; starts nothing of PostgreSQL. */
  async has(program: Program, context: SourceContext): Promise<boolean> {
    const { command, prefix, signal } = await this.spec(program, context);
    const found = prefix ? await findRemoteProgram(command, prefix, signal) : await findProgram(command);
    return found !== undefined;
  }

  async #prefix({ signal }: SourceContext): Promise<Prefix | undefined> {
    const { prefix } = this.options;
    return prefix && (await openPrefix(prefix, signal));
  }

  /** Runs SQL and returns psql's rows as they are. `database` undefined: the configured one. */
  async query(sql: string, context: SourceContext, database?: string): Promise<string> {
    const run = async () => {
      const spec = await this.#psql(context, database);
      return (await capture({ ...spec, stdinPrefix: Buffer.from(`${sql}\n`) })).stdout.trimEnd();
    };
    try {
      return await run().catch((error: unknown) => this.#makeRoom(error, run));
    } catch (error) {
      throw this.#explain(error, database);
    }
  }

  /** Runs a query that answers with one JSON value. The caller knows its shape: the query stands beside it. */
  async queryJson<Value>(sql: string, context: SourceContext, database?: string): Promise<Value> {
    return JSON.parse(await this.query(sql, context, database)) as Value;
  }

  /** The same for a question, which changes nothing: where a conversation is open, it is put there. */
  async askJson<Value>(sql: string, context: SourceContext, database?: string): Promise<Value> {
    return JSON.parse(await this.ask(sql, context, database)) as Value;
  }

  async ask(sql: string, context: SourceContext, database?: string): Promise<string> {
    return this.#say(sql, context, { database, isQuestion: true });
  }

  async #say(
    sql: string,
    context: SourceContext,
    { database, isQuestion }: { readonly database?: string; readonly isQuestion: boolean },
  ): Promise<string> {
    const key = database ?? '';
    const conversation = await this.#conversations.get(key);
    context.signal.throwIfAborted();
    if (conversation === undefined) return this.query(sql, context, database);
    try {
      return await conversation.ask(sql, context.signal);
    } catch (error) {
      this.#conversations.delete(key);
      context.signal.throwIfAborted();
      // It may have been cut off while nothing was asked. A change is made again only where the first cannot have begun.
      const isSafe = conversation.hasAnswered ? isQuestion : isCrowded(error);
      if (isSafe) return this.query(sql, context, database);
      throw this.#explain(error, database);
    }
  }

  /**
   * Opens a conversation, for what is asked of this database until `hangUp`. It takes one of the server's connections.
   * Rejects when there is no psql.
   */
  async converse(context: SourceContext, database: string): Promise<void> {
    const opening = this.#psql(context, database).then((spec) => new Conversation(spec));
    this.#conversations.set(database, opening);
    try {
      await opening;
    } catch (error) {
      this.#conversations.delete(database);
      throw error;
    }
  }

  /** Ends all conversations; resolves when their programs are gone. Never rejects. */
  async hangUp(): Promise<void> {
    const all = [...this.#conversations.values()];
    this.#conversations.clear();
    await Promise.allSettled(all.map(async (each) => (await each).close()));
  }

  /**
   * The role, or the server, may allow one connection, which a conversation of ours holds, or somebody before us whom the
   * server has not quite let go.
   */
  async #makeRoom<Value>(error: unknown, run: () => Promise<Value>): Promise<Value> {
    if (!isCrowded(error)) throw error;
    await this.hangUp();
    return untilThereIsRoom(run);
  }

  async #psql(context: SourceContext, database?: string): Promise<ProgramSpec> {
    const { env, args } = this.connection.to(database, this.name);
    return {
      ...(await this.spec('psql', context)),
      args: [...psqlArguments, ...rowsOnly, ...args],
      env: { ...env, PGCLIENTENCODING: 'UTF8' },
    };
  }

  #explain(error: unknown, database: string | undefined): Error {
    return explain(error, `a query to ${database ?? this.connection.database ?? this.connection.host}`);
  }

  /** Runs SQL in a database that is none of `besides`: those are to be renamed, created or dropped. */
  async administer(sql: string, context: SourceContext, besides: readonly string[]): Promise<string> {
    const database = await this.maintenanceDatabase(context, besides);
    return this.#say(sql, context, { database, isQuestion: false });
  }

  /** `postgres`, or where that is missing or closed, `template1`. */
  async maintenanceDatabase(context: SourceContext, besides: readonly string[]): Promise<string> {
    if (besides.includes('postgres')) return 'template1';
    this.#hasPostgres ??= this.ask('SELECT 1;', context, 'postgres').then(
      () => true,
      () => false,
    );
    return (await this.#hasPostgres) ? 'postgres' : 'template1';
  }

  /** For people; no password, no user. */
  label(database = this.connection.database ?? ''): string {
    const { host, port } = this.connection;
    const place = port === '' ? host : `${host}:${port}`;
    const way = this.options.prefix === undefined ? '' : ` by ${this.options.prefix.join(' ')}`;
    return `postgres://${place}/${database}${way}`;
  }

  /** Where there is but one client, psql need not wait for its version, which is asked meanwhile. */
  async #anyFolder(program: Program, context: SourceContext): Promise<string> {
    const folders = this.options.prefix || program !== 'psql' ? [] : await findFolders(this.options.clientFolder);
    if (folders.length === 1 && folders[0] !== undefined) {
      setImmediate(() => void this.#found(context));
      return folders[0];
    }
    const clients = await this.#found(context);
    return (clients.at(-1) ?? clients[0]).folder;
  }

  #found(context: SourceContext): Promise<readonly [Client, ...Client[]]> {
    if (this.#clients === undefined) {
      this.#clients = this.#find(context);
      // Whoever needs a version hears of it.
      this.#clients.catch(() => {});
    }
    return this.#clients;
  }

  async #find(context: SourceContext): Promise<readonly [Client, ...Client[]]> {
    return findClients(this.options.clientFolder, context.signal, await this.#prefix(context));
  }
}

/** A server counts a connection for some milliseconds after its client has gone. */
async function untilThereIsRoom<Value>(run: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (tries === roomTries || !isCrowded(error)) throw error;
      await delay(roomPauseMs);
    }
  }
}

/** An identifier for SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string for SQL, whatever standard_conforming_strings says. */
export function literal(text: string): string {
  return ` E'${text.replace(/[\\']/g, '\\$&')}'`;
}
