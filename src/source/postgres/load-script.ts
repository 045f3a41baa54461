import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { consume } from '../../process/process.ts';
import type { RestoreRequest, SourceContext } from '../source.ts';
import { bytesOf } from './restore-input.ts';
import { GuardedScript } from './restore-stream.ts';
import { psqlArguments, type Session } from './session.ts';
import type { Target } from './target.ts';

/** Line and statement of an error: of its standard input psql tells neither unless it is named as a file. */
const showErrors = ['--echo-errors', '--file=-'];

export async function loadScript(
  session: Session,
  { database, server }: Pick<Target, 'database' | 'server'>,
  request: RestoreRequest,
  context: SourceContext,
): Promise<void> {
  const { version } = await session.suitToLoad(server, context);
  const guard = new GuardedScript({ server: server.major, psql: version });
  await pipeline(bytesOf(request), guard, await openTransaction(session, database, context));
}

/** The stdin of a psql that has begun a transaction; the COMMIT is the script's to bring. */
export async function openTransaction(session: Session, database: string, context: SourceContext): Promise<Writable> {
  const { env, args } = session.connection.to(database);
  const psql = consume({
    ...(await session.spec('psql', context)),
    args: [...psqlArguments, ...showErrors, ...args],
    env,
    // On the script's own first line, so that the lines in messages are the script's.
    stdinPrefix: Buffer.from('BEGIN; '),
    largeBuffers: true,
  });
  return psql.stdin;
}
