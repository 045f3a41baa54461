/** What the user should know of a database before it is dumped: for `inspect` and for `dbbackup check`. */
import { type Finding, fail, warn } from '../../finding.ts';
import { type Client, makes } from './client.ts';
import type { Facts } from './facts.ts';
import { brokenTables, isTooOldFor, ownClient } from './foreign-client.ts';
import { identifier } from './session.ts';

export function* findings(facts: Facts, client: Client): Generator<Finding> {
  yield* clientFindings(facts, client);
  yield* rightsFindings(facts);
  yield* engineFindings(facts);
}

function* clientFindings(facts: Facts, client: Client): Generator<Finding> {
  const { server } = facts;
  const broken = brokenTables(facts, client);
  if (isTooOldFor(server, client)) {
    yield fail(`${client.name} ${client.text} of MariaDB cannot dump MySQL ${server.text}`, ownClient);
  } else if (broken.length > 0) {
    yield fail(
      `${client.name} of MariaDB dumps tables with generated or VECTOR columns so that MySQL cannot load them: ${broken.join(', ')}`,
      ownClient,
    );
  } else if (client.flavour !== server.flavour) {
    yield warn(
      `${client.name} of ${makes[client.flavour]} dumps a server of ${makes[server.flavour]}, which mostly works`,
      `Install the client of ${makes[server.flavour]} to be sure.`,
    );
  } else if (client.rank < server.rank) {
    yield warn(`${client.name} ${client.text} is older than the server, ${server.text}`, 'Install a newer client.');
  }
}

/** Without these rights the dump tools leave things out and say nothing. */
const rightsNeeded: readonly (readonly [right: string, what: string])[] = [
  ['SELECT', 'tables'],
  ['SHOW VIEW', 'views'],
  ['TRIGGER', 'triggers'],
  ['EVENT', 'events'],
];

function* rightsFindings({ grants, database, user, server }: Facts): Generator<Finding> {
  const to = account(user);
  const missing = rightsNeeded.filter(([right]) => !grants.may(right, database));
  if (missing.length > 0) {
    yield warn(
      `the user ${user} may not see all ${missing.map(([, what]) => what).join(', ')} of ${database}; what it does not see is left out without a word`,
      `GRANT ${missing.map(([right]) => right).join(', ')} ON ${identifier(database)}.* TO ${to};`,
    );
  }
  const seesRoutines =
    grants.may('SELECT', 'mysql') || grants.may('SHOW_ROUTINE', '') || grants.may('SHOW CREATE ROUTINE', database);
  if (seesRoutines) return;
  const modern = server.rank >= 11_003 ? `SHOW CREATE ROUTINE ON ${identifier(database)}.*` : 'SELECT ON mysql.proc';
  yield warn(
    `the user ${user} may not see the routines of others in ${database}; what it does not see is left out without a word`,
    `GRANT ${server.flavour === 'mysql' ? 'SHOW_ROUTINE ON *.*' : modern} TO ${to};`,
  );
}

/** `user@host` as `CURRENT_USER()` has it, for a GRANT. */
function account(user: string): string {
  const at = user.lastIndexOf('@');
  return `${identifier(user.slice(0, at))}@${identifier(user.slice(at + 1))}`;
}

const transactional = /^(InnoDB|ROCKSDB|TokuDB|NDB.*)$/i;

function* engineFindings({ tables }: Facts): Generator<Finding> {
  const loose = tables.filter(({ kind, engine }) => kind === 'table' && engine !== '' && !transactional.test(engine));
  if (loose.length === 0) return;
  const named = loose.slice(0, 5).map(({ name, engine }) => `${name} (${engine})`);
  const more = loose.length > named.length ? ` and ${loose.length - named.length} more` : '';
  yield warn(
    `not transactional, so that what is written to them during a dump may be half in it: ${named.join(', ')}${more}`,
    'ALTER TABLE … ENGINE=InnoDB, or stop writing to them meanwhile.',
  );
}
