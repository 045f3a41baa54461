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
  const ways = waysTo(session, request);
  const starts = ways.map(({ from }) => session.converse(own, from));
  const arrival = Promise.allSettled(
    ways.map(async ({ ask }, at) => {
      await starts[at];
      await ask(own);
    }),
  ).then(() => {
    isThere = true;
  });
  return {
    underWay: Promise.allSettled(starts),
    async close() {
      // Nobody waits for a server that does not answer.
      if (!isThere) giveUp.abort(new Error('the target is not needed any more'));
      await arrival;
      await session.hangUp();
    },
  };
}

interface Way {
  readonly from: string;
  ask(context: SourceContext): Promise<unknown>;
}

/** None where only the server knows what the database is called. */
function waysTo(session: Session, request: ApproachRequest): readonly Way[] {
  const database = request.database ?? session.connection.database;
  if (database === undefined) return [];
  const inIt: Way = { from: database, ask: (context) => readFacts(session, context, database) };
  if (database === 'postgres' || !mayBuildBeside(request)) return [inIt];
  return [inIt, { from: 'postgres', ask: (context) => lookAround(session, database, context) }];
}
