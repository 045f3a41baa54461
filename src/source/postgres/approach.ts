import type { Approach, ApproachRequest, SourceContext } from '../source.ts';
import { readFacts } from './facts.ts';
import type { Session } from './session.ts';
import { lookAround } from './surroundings.ts';
import { mayBuildBeside } from './target.ts';

/**
 * Opens the conversations in which a target will be examined, and puts the questions once: what makes the first answer
 * slow (a process, a login, an empty cache) is over by the time when one counts.
 */
export function approach(session: Session, request: ApproachRequest, context: SourceContext): Approach {
  const giveUp = new AbortController();
  const own = { ...context, signal: AbortSignal.any([context.signal, giveUp.signal]) };
  let isThere = false;
  const arrival = Promise.allSettled([atTarget(session, request, own), besideIt(session, request, own)]).then(() => {
    isThere = true;
  });
  return {
    async close() {
      // Nobody waits for a server that does not answer.
      if (!isThere) giveUp.abort(new Error('the target is not needed any more'));
      await arrival;
      await session.hangUp();
    },
  };
}

async function atTarget(session: Session, request: ApproachRequest, context: SourceContext): Promise<void> {
  const database = request.database ?? session.connection.database;
  if (database === undefined) return;
  await session.converse(context, database);
  await readFacts(session, context, database);
}

async function besideIt(session: Session, request: ApproachRequest, context: SourceContext): Promise<void> {
  const database = request.database ?? session.connection.database;
  if (database === undefined || database === 'postgres' || !mayBuildBeside(request)) return;
  await session.converse(context, 'postgres');
  await lookAround(session, database, context);
}
