import type { SourceContext } from '../source.ts';
import { Refused, sendCommands } from './send.ts';
import type { Command, Session } from './session.ts';

const attempts = 3;

/**
 * All or nothing: the server takes all libraries of a payload or none. Doing it twice is the same as once, so a lost
 * connection is tried again. `present`: how many the server has.
 */
export async function putLibraries(
  session: Session,
  payload: Buffer | undefined,
  present: number,
  context: SourceContext,
): Promise<void> {
  const put: Command | undefined = payload && ['FUNCTION', 'RESTORE', payload, 'FLUSH'];
  const flush: Command | undefined = present > 0 ? ['FUNCTION', 'FLUSH'] : undefined;
  const command = put ?? flush;
  if (command === undefined) return;
  await persist(() =>
    sendCommands(
      session,
      [command],
      { database: 0, operation: `the restore into ${session.label} (functions)` },
      context,
    ),
  );
}

/** For what may be done twice. What the server has refused it will refuse again. */
export async function persist<T>(work: () => Promise<T>): Promise<T> {
  for (let left = attempts; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 1 || error instanceof Refused) throw error;
    }
  }
}
