/**
 * How a program reaches the server: libpq's parameters in its environment, where no other user can read them and where
 * a name is a name: `--help`, `a=b` or a newline mean nothing special there.
 */
import { userInfo } from 'node:os';
import type { Parameters } from './options.ts';

export interface Access {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly args: readonly string[];
}

/** Manual, 34.15: the variable of a parameter. */
const irregular: Readonly<Record<string, string>> = {
  dbname: 'PGDATABASE',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
};
/** Seconds; a server that does not answer must not hold a run for ever. */
const connectTimeout = '30';

export class Connection {
  readonly #parameters: Parameters;
  readonly #ours: NodeJS.ProcessEnv;
  readonly #other: string | undefined;
  readonly #systemUser: string | undefined;

  /**
   * `ours`: the environment of the programs, undefined where they run elsewhere and theirs is not known here.
   * `other`: a database that goes before the configured one.
   */
  constructor(parameters: Parameters, ours?: NodeJS.ProcessEnv, other?: string) {
    this.#parameters = parameters;
    this.#ours = ours ?? {};
    this.#other = other;
    this.#systemUser = ours && userInfo().username;
  }

  /** The same way to the same server, at another database of it. */
  at(database: string): Connection {
    return new Connection(this.#parameters, this.#systemUser === undefined ? undefined : this.#ours, database);
  }

  /** True when it was left to libpq which database is meant. */
  get isDatabaseOpen(): boolean {
    return this.#other === undefined && this.#value('dbname', 'PGDATABASE') === undefined;
  }

  /** A folder for sockets, a name or an address; '' for libpq's default socket. */
  get host(): string {
    if (this.service !== undefined) return `service ${this.service}`;
    return this.#value('host', 'PGHOST') ?? this.#value('hostaddr', 'PGHOSTADDR') ?? '';
  }

  get port(): string {
    return this.#value('port', 'PGPORT') ?? (this.service === undefined ? '5432' : '');
  }

  /** The configured database, as libpq would find it; undefined when only the service file or the other side knows. */
  get database(): string | undefined {
    const named = this.#other ?? this.#value('dbname', 'PGDATABASE');
    if (named !== undefined || this.service !== undefined) return named;
    return this.#value('user', 'PGUSER') ?? this.#systemUser;
  }

  /** A service file goes before the environment: what is set beside it must be said in the arguments. */
  get service(): string | undefined {
    return this.#parameters['service'] ?? (this.#isEmpty ? this.#ours['PGSERVICE'] : undefined);
  }

  get #isEmpty(): boolean {
    return Object.keys(this.#parameters).length === 0;
  }

  #value(keyword: string, variable: string): string | undefined {
    return this.#parameters[keyword] ?? (this.service === undefined ? this.#ours[variable] : undefined);
  }

  /**
   * For psql and pg_dump. `database` goes before the configured one, and `name`, by which the server knows the session,
   * before that which the options or a service give it.
   */
  to(database = this.database, name?: string): Access {
    const env: Record<string, string | undefined> = {
      PGCONNECT_TIMEOUT: this.#ours['PGCONNECT_TIMEOUT'] ?? connectTimeout,
    };
    // Half of the environment's server must not be mixed with the configured one.
    if (!this.#isEmpty) env['PGSERVICE'] = env['PGHOSTADDR'] = undefined;
    for (const [keyword, value] of Object.entries(this.#parameters)) env[variableOf(keyword)] = value;
    if (database !== undefined) env['PGDATABASE'] = database;
    // The dump is in the database's own encoding, messages are in the language that is looked for in them.
    env['PGCLIENTENCODING'] = undefined;
    env['LC_ALL'] = 'C';
    if (name !== undefined) env['PGAPPNAME'] = name;
    return { env, args: this.service === undefined ? [] : besideService({ dbname: database, application_name: name }) };
  }

  /** For pg_restore, which prints a script unless it is told to connect. */
  into(database: string): Access {
    const { env, args } = this.to(database);
    return { env, args: args.length > 0 ? args : ['--dbname=application_name=dbbackup'] };
  }
}

/** What a service file may say as well goes before it only here. */
function besideService(parameters: Readonly<Record<string, string | undefined>>): string[] {
  const given = Object.entries(parameters).flatMap(([keyword, value]) =>
    value === undefined ? [] : [`${keyword}=${conninfoValue(value)}`],
  );
  return given.length > 0 ? [`--dbname=${given.join(' ')}`] : [];
}

function variableOf(keyword: string): string {
  return irregular[keyword] ?? `PG${keyword.replaceAll('_', '').toUpperCase()}`;
}

/** Manual, 34.1.1.1: quoted, with quotes and backslashes escaped. */
export function conninfoValue(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}
