import { DbBackupError } from '../../errors.ts';
import type { SourceContext } from '../source.ts';
import { refusal } from './failure.ts';
import type { Session } from './session.ts';

/** What INFO tells of a server. */
export interface Facts {
  readonly product: 'Redis' | 'Valkey';
  readonly version: string;
  readonly isCluster: boolean;
  readonly isReplica: boolean;
  /** Keys by number of database; without those that are empty. */
  readonly keys: ReadonlyMap<number, number>;
  /** Of functions (7.0). */
  readonly libraries: number;
  /** Bytes of the data, without what the server needs for itself. */
  readonly dataBytes: number;
  readonly usedBytes: number;
  /** 0 = no limit. */
  readonly maxBytes: number;
  /** `noeviction`, or what the server throws away when it is full. */
  readonly evictionPolicy: string;
  readonly evictedKeys: number;
}

/** Asks the server afresh. Throws AUTHENTICATION_FAILED, SOURCE_FAILED, UNSUPPORTED. */
export async function readFacts(session: Session, context: SourceContext): Promise<Facts> {
  const [reply] = await session.ask([['INFO']], context);
  const lines = new Map(
    (reply?.text ?? '').split(/\r?\n/).map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  const redis = lines.get('redis_version');
  if (redis === undefined) {
    const message = `the server ${session.label} does not answer INFO: ${reply?.text.slice(0, 200)}`;
    throw refusal(reply?.text ?? '', message) ?? new DbBackupError('SOURCE_FAILED', message);
  }
  const valkey = lines.get('valkey_version');
  const figure = (name: string) => Number(lines.get(name) ?? 0);
  return {
    product: valkey === undefined ? 'Redis' : 'Valkey',
    version: valkey ?? redis,
    isCluster: lines.get('cluster_enabled') === '1',
    isReplica: lines.get('role') === 'slave',
    keys: keysOf(lines),
    libraries: figure('number_of_libraries'),
    dataBytes: figure('used_memory_dataset'),
    usedBytes: figure('used_memory'),
    maxBytes: figure('maxmemory'),
    evictionPolicy: lines.get('maxmemory_policy') ?? 'noeviction',
    evictedKeys: figure('evicted_keys'),
  };
}

function keysOf(lines: ReadonlyMap<string, string>): ReadonlyMap<number, number> {
  const keys = new Map<number, number>();
  for (const [name, value] of lines) {
    const [, database] = /^db(\d+)$/.exec(name) ?? [];
    const [, count] = /^keys=(\d+)/.exec(value) ?? [];
    if (database !== undefined && count !== undefined) keys.set(Number(database), Number(count));
  }
  return keys;
}

/** One node of a cluster holds a part of the keys, and takes no others. */
export function refuseCluster(session: Session, facts: Facts): void {
  if (!facts.isCluster) return;
  throw new DbBackupError(
    'UNSUPPORTED',
    `${session.label} is a node of a cluster, which holds only a part of the keys`,
    {
      hint: 'Redis Cluster is not supported: use what your provider offers, or, for each master, a source of type "command" with dump: [redis-cli, -h, <node>, --rdb, "-"] and startsWith: REDIS.',
    },
  );
}
