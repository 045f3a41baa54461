import { basename } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import { capture, openPrefix, type ProgramSpec } from '../../process/process.ts';
import type { SourceContext } from '../source.ts';
import { type Client, chooseClient, findClients, type Version } from './client.ts';
import { ownSection, pipedDefaults, sectionVariable, writeDefaultsFile } from './defaults-file.ts';
import { explain } from './failure.ts';
import { connectionParameters, type MysqlOptions, type Parameters } from './options.ts';

/** The client as a tool of ours: no interpretation of what passes, no data in messages. Its commands are off. */
export const clientArguments = ['--batch', '--binary-mode', '--comments', '--default-character-set=utf8mb4'];
/** Rows may be larger than the default of 16 or 64 MiB; the server has a limit of its own. */
export const largestPacket = '--max-allowed-packet=1G';

/** The programs and the connection of one opened source. Everything asked of the server goes through the client. */
export class Session {
  readonly options: MysqlOptions;
  readonly parameters: Parameters;
  #clients: Promise<readonly Client[]> | undefined;
  #client: Client | undefined;
  readonly #files = new Map<string, Promise<string>>();

  constructor(options: MysqlOptions) {
    this.options = options;
    this.parameters = connectionParameters(options);
  }

  /** The database of the config. Throws USAGE when none is named. */
  get database(): string {
    if (this.parameters.database !== undefined) return this.parameters.database;
    throw new DbBackupError('USAGE', 'no database is named', {
      hint: 'Add it to the URL (mysql://user@host/database), or say "database" in the config, or --database.',
    });
  }

  /** Picks the programs that suit the server. Throws TOOL_TOO_OLD. */
  async suit(server: Version, context: SourceContext): Promise<Client> {
    this.#client = chooseClient(await this.#found(context), server, this.options.allowOlderClient ?? false);
    return this.#client;
  }

  /** What `suit` picked, and before that any. */
  async client(context: SourceContext): Promise<Client> {
    const client = this.#client ?? (await this.#found(context))[0];
    if (client === undefined) throw new DbBackupError('TOOL_MISSING', 'no client was found');
    return client;
  }

  /** At another database of the same server, with the programs that have been found. */
  at(database: string): Session {
    const other = new Session({ ...this.options, database });
    other.#clients = this.#clients;
    other.#client = this.#client;
    return other;
  }

  /** Program and connection; the option file must come first. */
  async spec(program: 'dump' | 'shell', context: SourceContext): Promise<ProgramSpec> {
    const client = await this.client(context);
    if (this.options.prefix !== undefined) return this.#remoteSpec(client, program, this.options.prefix, context);
    const path = await this.#defaultsFile(client, context);
    const { signal, idleTimeoutMs } = context;
    // MySQL's programs read the login file after all others; it must not go before the config.
    const env = { LC_ALL: 'C.UTF-8', ...(this.#isConfigured && { MYSQL_TEST_LOGIN_FILE: `${path}.none` }) };
    return { command: client[program], args: [`--defaults-file=${path}`], env, signal, idleTimeoutMs };
  }

  async #remoteSpec(
    client: Client,
    program: 'dump' | 'shell',
    words: readonly string[],
    { signal, idleTimeoutMs }: SourceContext,
  ): Promise<ProgramSpec> {
    const section = ownSection(this.parameters, this.options, client.flavour);
    return {
      ...{ command: 'sh', args: ['-c', pipedDefaults, 'sh', client[program]], name: basename(client[program]) },
      env: {
        LC_ALL: 'C.UTF-8',
        [sectionVariable]: section,
        ...(this.#isConfigured && { MYSQL_TEST_LOGIN_FILE: '/dev/null/none' }),
      },
      prefix: await openPrefix(words, signal),
      ...{ signal, idleTimeoutMs },
    };
  }

  get #isConfigured(): boolean {
    return this.parameters.user !== undefined || this.parameters.password !== undefined;
  }

  /** Runs a script and returns the rows of all its queries; NULL is `NULL`. */
  async query(sql: string, context: SourceContext, database?: string): Promise<string[][]> {
    const spec = await this.spec('shell', context);
    const into = database === undefined ? [] : [`--database=${database}`];
    const args = [...spec.args, ...clientArguments, '--skip-column-names', '--connect-timeout=30', ...into];
    try {
      const { stdout } = await capture({ ...spec, args, stdinPrefix: Buffer.from(`${sql}\n`) });
      const lines = stdout.split('\n').slice(0, -1);
      return lines.map((line) => line.split('\t').map(unescaped));
    } catch (error) {
      throw explain(error, `a query to ${this.label(database)}`);
    }
  }

  /** For people; no password, no user. */
  label(database = this.parameters.database ?? ''): string {
    const { host, port, socket } = this.parameters;
    const place = socket ?? `${host ?? 'localhost'}${port === undefined ? '' : `:${port}`}`;
    const way = this.options.prefix === undefined ? '' : ` by ${this.options.prefix.join(' ')}`;
    return `mysql://${place}/${database}${way}`;
  }

  #found(context: SourceContext): Promise<readonly Client[]> {
    this.#clients ??= this.#find(context);
    return this.#clients;
  }

  async #find({ signal }: SourceContext): Promise<readonly Client[]> {
    const { clientFolder, prefix } = this.options;
    return findClients(clientFolder, signal, prefix && (await openPrefix(prefix, signal)));
  }

  #defaultsFile({ flavour }: Client, context: SourceContext): Promise<string> {
    const file =
      this.#files.get(flavour) ??
      context.temporaryFolder().then((folder) => writeDefaultsFile(folder, this.parameters, this.options, flavour));
    this.#files.set(flavour, file);
    return file;
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '\0', '\\': '\\' };

/** What the client's batch mode does to values. */
function unescaped(value: string): string {
  return value.replace(/\\([nt0\\])/g, (_, letter: string) => escapes[letter] ?? letter);
}

/** An identifier for SQL. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A string for SQL, whatever sql_mode says of backslashes. */
export function literal(text: string): string {
  return text === '' ? `''` : `CONVERT(X'${Buffer.from(text).toString('hex')}' USING utf8mb4)`;
}
