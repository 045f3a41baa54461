import { DbBackupError } from '../../errors.ts';
import { type Finding, fail, info, ok, warn } from '../../finding.ts';
import { formatBytes, plural } from '../../value/figure.ts';
import type { SourceContext } from '../source.ts';
import { type Facts, readFacts, refuseCluster } from './facts.ts';
import { rightsToRestore } from './rights.ts';
import type { Command, Reply, Session } from './session.ts';
import { lookAtFolder } from './target-folder.ts';

/** What a dump sends, and what a restore does. */
const needed: readonly (readonly [name: string, dry: Command])[] = [
  ['sync', ['SYNC']],
  ['replconf', ['REPLCONF', 'capa', 'eof']],
];
const neededToRestore: readonly (readonly [name: string, dry: Command])[] = [
  ['restore', ['RESTORE', 'key', '0', 'payload', 'ABSTTL']],
  ['select', ['SELECT', '1']],
  ['multi', ['MULTI']],
  ['exec', ['EXEC']],
  ['echo', ['ECHO', 'text']],
  ['swapdb', ['SWAPDB', '0', '1']],
  ['flushdb', ['FLUSHDB', 'ASYNC']],
  ['unlink', ['UNLINK', 'key']],
  ['function', ['FUNCTION', 'RESTORE', 'payload', 'FLUSH']],
];

/** Everything that a dump needs, for `dbbackup check`. */
export async function* checkRedis(session: Session, context: SourceContext): AsyncGenerator<Finding> {
  const client = await session.client(context);
  const facts = await readFacts(session, context);
  refuseCluster(session, facts);
  yield ok(`${facts.product} ${facts.version} answers at ${session.label}${facts.isReplica ? ', a replica' : ''}`);
  yield ok(`${client.name} ${client.version} (${client.path})`);
  const keys = [...facts.keys.values()].reduce((sum, count) => sum + count, 0);
  yield ok(
    `${plural(keys, 'key')} in ${plural(facts.keys.size, 'database')}, about ${formatBytes(facts.dataBytes)} in memory`,
  );
  yield* rights(session, facts, context);
  yield* memory(facts);
  yield* encryption(session);
}

async function* rights(session: Session, facts: Facts, context: SourceContext): AsyncGenerator<Finding> {
  const [who] = await session.ask([['ACL', 'WHOAMI']], context);
  const user = /^"(.*)"$/.exec(who?.text ?? '')?.[1];
  if (user === undefined || who?.isError) {
    yield info('the server does not tell what this user may do (ACL): a run will');
    return;
  }
  const all = [...needed, ...neededToRestore];
  const dry = await session.ask(
    all.map(([, command]) => ['ACL', 'DRYRUN', user, ...command]),
    context,
  );
  if (dry[0]?.isError) {
    yield info(`the user ${user} may not ask what it may do (ACL DRYRUN, Redis 7.0): a run will tell`);
    return;
  }
  const refused = all.filter((_, at) => isRefused(dry[at])).map(([name]) => name);
  const missing = refused.filter((name) => needed.some(([each]) => each === name));
  if (missing.length > 0) {
    yield fail(
      `the user ${user} may not ${missing.join(', ').toUpperCase()}, which a dump needs`,
      grant(user, missing),
    );
    return;
  }
  yield ok(`the user ${user} may dump everything`);
  if (refused.length > 0 && !facts.isReplica) {
    const what = refused.join(', ').toUpperCase();
    yield info(
      `the user ${user} may not ${what}: a restore into this server needs more rights or another user (ACL SETUSER <user> ${rightsToRestore}), or a data folder`,
    );
  }
}

function isRefused(reply: Reply | undefined): boolean {
  return !/^"?OK"?$/.test(reply?.text ?? '');
}

function grant(user: string, names: readonly string[]): string {
  return `As an administrator: ACL SETUSER ${user} ${names.map((name) => `+${name}`).join(' ')}, then ACL SAVE.`;
}

function* memory(facts: Facts): Generator<Finding> {
  if (facts.maxBytes === 0 || facts.evictionPolicy === 'noeviction') return;
  yield info(
    `it throws keys away when it is full (${facts.evictionPolicy} at ${formatBytes(facts.maxBytes)}): a backup holds what is there at its time`,
  );
}

function* encryption(session: Session): Generator<Finding> {
  const { host = '127.0.0.1', socket, tls } = session.parameters;
  if (tls === 'verify') yield ok('the connection is encrypted, and the certificate checked');
  else if (tls === 'require') {
    yield warn('the connection is encrypted, but the certificate is not checked', 'Set tls: verify (and tlsCa).');
  } else if (socket === undefined && !/^(localhost|127\.[\d.]+|::1)$/.test(host)) {
    yield warn(
      'the connection is not encrypted: password and data can be read on the way',
      'Use rediss:// (tls: verify, tlsCa), or go through a tunnel or a prefix (ssh).',
    );
  }
}

/** Of a source that is only restored into. */
export async function* checkFolder(folder: string): AsyncGenerator<Finding> {
  try {
    const { path, exists } = await lookAtFolder(folder);
    yield ok(`${path} can be restored${exists ? ' with --clean, which replaces what is there' : ''}`);
  } catch (error) {
    if (!(error instanceof DbBackupError && error.code === 'TARGET_IN_USE')) throw error;
    yield info(`${error.message}: a restore needs it stopped`);
  }
}
