import type { Inspection, SourceContext } from '../source.ts';
import { readFacts } from './facts.ts';
import type { Session } from './session.ts';

/** Asks the server by psql, as the dump will reach it. */
export async function inspect(session: Session, context: SourceContext): Promise<Inspection> {
  const facts = await readFacts(session, context);
  const { version } = await session.suit(facts.major, facts.version, context);
  const warnings = [];
  if (facts.unreadable !== null) {
    warnings.push(`the user ${facts.user} may not read ${facts.unreadable}: pg_dump fails unless it is excluded`);
  }
  return {
    serverVersion: facts.version,
    tool: `pg_dump ${version}`,
    toolVersion: version,
    databases: [facts.database],
    estimatedBytes: facts.bytes,
    warnings,
  };
}
