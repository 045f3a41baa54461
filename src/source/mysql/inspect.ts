import { type Finding, fail, ok } from '../../finding.ts';
import { formatBytes } from '../../value/figure.ts';
import type { CheckContext, Inspection, SourceContext } from '../source.ts';
import { makes } from './client.ts';
import { type Facts, readFacts } from './facts.ts';
import { findings } from './findings.ts';
import type { Session } from './session.ts';

/** What the server said by the client, which reaches it as the dump will. */
export async function inspect(session: Session, facts: Facts, context: SourceContext): Promise<Inspection> {
  const client = await session.client(context);
  // What fails is told by the dump.
  const told = [...findings(facts, client)].filter(({ severity }) => severity === 'warn');
  const warnings = told.map(({ what, wayOut = '' }) => `${what}. ${wayOut}`);
  return {
    serverVersion: facts.version,
    tool: `${client.name} ${client.text}`,
    toolVersion: client.text,
    databases: facts.defaults === undefined ? [] : [facts.database],
    estimatedBytes: bytesOf(facts) || undefined,
    warnings,
  };
}

function bytesOf({ tables }: Facts): number {
  return tables.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Everything that a dump needs, for `dbbackup check`. */
export async function* checkMysql(session: Session, context: CheckContext): AsyncGenerator<Finding> {
  const facts = await readFacts(session, session.database, context);
  const client = await session.client(context);
  yield ok(`${makes[facts.server.flavour]} ${facts.version} answers at ${session.label('')} as user ${facts.user}`);
  if (facts.defaults === undefined) {
    yield fail(
      `there is no database ${facts.database}, or it is not shown to this user`,
      'Check the name (letter case counts) and the rights of the user.',
    );
    return;
  }
  yield ok(`${client.name} ${client.text} of ${makes[client.flavour]} (${client.dump})`);
  yield ok(`about ${formatBytes(bytesOf(facts))} of rows in ${facts.tables.length} tables and views`);
  let clean = true;
  for (const finding of findings(facts, client)) {
    clean = false;
    yield finding;
  }
  if (clean) yield ok(`the user ${facts.user} may see everything, and all tables are transactional`);
}
