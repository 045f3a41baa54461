/**
 * The one way by which a running server is changed: requests through the client's `--pipe`, in a database that is chosen
 * when it connects. Guarantees: whatever happens to the connection, nothing runs in another database or outside of the
 * transaction it was meant for: such a client does not connect again, ends with an error where the database cannot be
 * chosen, and exits 0 only when each request has been answered, none by an error. (Without `--pipe` it goes on, in
 * database 0, in all these cases. Source: pipeMode and cliConnect of src/redis-cli.c.)
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError } from '../../errors.ts';
import { consume } from '../../process/process.ts';
import type { SourceContext } from '../source.ts';
import { explain, refusal } from './failure.ts';
import { request } from './resp.ts';
import type { Command, Session } from './session.ts';

const saidBytes = 4000;
/** A whole line with one of the server's error codes. */
const serverError =
  /^(ERR|BUSYKEY|OOM|MISCONF|READONLY|NOPERM|NOAUTH|LOADING|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|MOVED|WRONGTYPE|EXECABORT) .*(?=\n)/m;

export interface Delivery {
  readonly database: number;
  /** For messages: `the restore into redis://…`. */
  readonly operation: string;
  /** Nothing more is sent behind the first error. */
  readonly stopAtError?: boolean;
}

/** The server has answered with an error; anything else that is thrown leaves open what the server has done. */
export class Refused extends DbBackupError {
  /** All that the server said. */
  readonly said: string;

  constructor(operation: string, line: string, said: string) {
    const message = `${operation} failed: ${line.trim()}`;
    const known = refusal(line, message);
    super('TARGET_FAILED', message, { hint: known?.hint, retryable: known?.retryable });
    this.said = said;
  }
}

/** Bytes are whole requests, in pieces of any size. */
export async function send(
  session: Session,
  bytes: AsyncIterable<Buffer> | Iterable<Buffer>,
  { database, operation, stopAtError = false }: Delivery,
  context: SourceContext,
): Promise<void> {
  const spec = await session.spec(context, database);
  let said = '';
  const refused = () => {
    const [line] = serverError.exec(said) ?? [];
    return line === undefined ? undefined : new Refused(operation, line, said);
  };
  const client = consume({
    ...spec,
    // The idle timeout is what ends a server that says nothing.
    args: [...spec.args, '--pipe', '--pipe-timeout', '0'],
    onStderr(chunk) {
      said = (said + chunk.toString('utf8', 0, saidBytes)).slice(-saidBytes);
      // What else is on the way (ssh's banners) ends nothing.
      const error = stopAtError ? refused() : undefined;
      if (error !== undefined) void client.stop(error);
    },
  });
  try {
    await pipeline(Readable.from(bytes, { objectMode: true, highWaterMark: 2 }), client.stdin);
  } catch (error) {
    context.signal.throwIfAborted();
    throw refused() ?? explain(error, operation);
  }
}

export function sendCommands(
  session: Session,
  commands: readonly Command[],
  delivery: Delivery,
  context: SourceContext,
): Promise<void> {
  return send(session, commands.map(request), delivery, context);
}

/** Steps for one database after the other, a client for each. */
export async function sendSteps(
  session: Session,
  steps: AsyncGenerator<{ readonly bytes: Buffer; readonly database: number }>,
  delivery: Omit<Delivery, 'database'>,
  context: SourceContext,
): Promise<void> {
  try {
    let next = await steps.next();
    while (!next.done) {
      const { database } = next.value;
      const same = async function* () {
        for (; !next.done && next.value.database === database; next = await steps.next()) yield next.value.bytes;
      };
      await send(session, same(), { ...delivery, database }, context);
    }
  } finally {
    await steps.return(undefined);
  }
}
