import type { Inspection, SourceContext } from '../source.ts';
import type { Facts } from './facts.ts';
import type { Session } from './session.ts';

/** What the server said by psql, which reaches it as the dump will. */
export async function inspect(session: Session, facts: Facts, context: SourceContext): Promise<Inspection> {
  const { version } = await session.suit(facts, context);
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
