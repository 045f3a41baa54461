/**
 * Redis and Valkey: the snapshot (RDB) that the server itself makes, fetched by the client, redis-cli or valkey-cli.
 * Everything that is asked of the server goes through the client, the way the dump goes.
 * Guarantees: a dump's end means exit 0 and a whole RDB file (walked to its end mark, checksum compared); a restore into
 * a running server shows all keys at once or leaves it as it was, or old and new are both there and the error says so; one
 * into the data folder of a stopped server puts a whole file there, or none.
 * Refuses: clusters, targets that hold data without consent, folders that a server uses or where append-only files would
 * hide the data, secrets on the command line.
 */
import { hostname } from 'node:os';
import { DbBackupError } from '../../errors.ts';
import { placeOf } from '../place-of.ts';
import type { DumpFormat, Inspection, RecoveryStep, Source, SourceCapabilities, SourceType } from '../source.ts';
import { checkFolder, checkRedis } from './check.ts';
import { startDump } from './dump.ts';
import { type Facts, readFacts, refuseCluster } from './facts.ts';
import { absolutePaths, optionsFromTarget, type RedisOptions, redisOptions } from './options.ts';
import { RdbCheck } from './rdb-check.ts';
import { restoreIntoFolder } from './restore-folder.ts';
import { restoreIntoServer } from './restore-server.ts';
import { type Client, Session } from './session.ts';
import { redisSetup } from './setup.ts';
import { lookAtFolder } from './target-folder.ts';
import { examineServer } from './target-server.ts';

/** A running server is told of a value's length before the value; a folder takes the bytes as they come. */
function formatFor({ dataFolder }: RedisOptions): DumpFormat {
  const restoreFrom = dataFolder === undefined ? 'file' : 'stream';
  return { name: 'rdb', extension: '.rdb', restoreFrom, restoreTables: false, parallelRestore: false };
}

function capabilities(options: RedisOptions = {}): SourceCapabilities {
  return {
    formats: [formatFor(options)],
    backupTypes: ['full'],
    tableFilter: false,
    schemaFilter: false,
    restoreOptions: ['clean'],
  };
}

export const redisType: SourceType<RedisOptions> = {
  type: 'redis',
  options: redisOptions,
  capabilities,
  open(options, baseFolder) {
    const absolute = absolutePaths(options, baseFolder);
    return absolute.dataFolder === undefined ? openServer(absolute) : openFolder(absolute.dataFolder);
  },
  fromTarget: optionsFromTarget,
  endOfDumpCheck: () => new RdbCheck(),
  recovery: () => recoveryFor('redis'),
  setup: redisSetup,
};

/** As Debian lays out both; the version is told, because an older server does not read what a newer one wrote. */
function recoveryFor(name: 'redis' | 'valkey', version?: string): RecoveryStep {
  const data = `/var/lib/${name}`;
  const config = `/etc/${name}/${name}.conf`;
  const needs = version === undefined ? '' : ` (${version} or newer)`;
  return {
    packages: [`${name}-server`],
    command: (file) =>
      [
        `${name}-check-rdb ${file}`,
        `service ${name}-server stop`,
        `{ test ! -e ${data}/appendonlydir || { echo 'appendonlydir would hide it' >&2; false; }; }`,
        `install -o ${name} -g ${name} -m 660 ${file} ${data}/dump.rdb`,
        `service ${name}-server start`,
      ].join(' && '),
    note: () =>
      `replaces the data of this machine's ${name}-server${needs}; with "appendonly yes" in ${config} it is not loaded: say no, start, then CONFIG SET appendonly yes`,
  };
}

function openServer(options: RedisOptions): Source {
  const session = new Session(options);
  const { host = '', port = 6379, socket } = session.parameters;
  const { prefix } = options;
  const place = socket ?? host;
  let facts: Facts | undefined;
  return {
    identity: {
      // Behind a prefix "localhost" is another machine, and which one, the prefix says.
      fingerprintParts: ['redis', ...(prefix ? [...prefix, place] : [placeOf(place)]), String(port)],
      label: session.label,
    },
    async inspect(context) {
      const client = await session.client(context);
      facts = await readFacts(session, context);
      refuseCluster(session, facts);
      return inspectionOf(client, facts);
    },
    dump: (_request, context) => startDump(session, context),
    check: (context) => checkRedis(session, context),
    recovery: () => recoveryFor(facts?.product === 'Valkey' ? 'valkey' : 'redis', facts?.version),
    async examineTarget(_request, context) {
      const { hasData } = await examineServer(session, context);
      return { label: session.label, hasData };
    },
    restore: (request, context) => restoreIntoServer(session, request, context),
  };
}

function inspectionOf(client: Client, facts: Facts): Inspection {
  return {
    serverVersion: `${facts.product} ${facts.version}`,
    tool: `${client.name} ${client.version}`,
    toolVersion: client.version,
    databases: [...facts.keys.keys()].map((number) => `db${number}`),
    estimatedBytes: facts.keys.size > 0 ? facts.dataBytes || undefined : undefined,
    warnings: [],
  };
}

function openFolder(folder: string): Source {
  const onlyTarget = (): never => {
    throw new DbBackupError(
      'UNSUPPORTED',
      `${folder} can only be restored into: a dump is made by the running server`,
      {
        hint: 'Give the source a "url" (redis://…), and keep dataFolder for a source of its own that you restore into.',
      },
    );
  };
  return {
    identity: { fingerprintParts: ['redis', hostname(), folder], label: folder },
    inspect: async () => onlyTarget(),
    dump: async () => onlyTarget(),
    check: () => checkFolder(folder),
    async examineTarget() {
      const { path, exists } = await lookAtFolder(folder);
      return { label: path, hasData: exists };
    },
    restore: (request, context) => restoreIntoFolder(folder, request, context),
  };
}
