/**
 * What a daemon tells of itself on the loopback interface, for container engines and monitors: names, times and exit
 * codes; no message, path or setting. `/health` asks whether the daemon lives, `/jobs` whether its last runs were good.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { DbBackupError, exitCodes } from '../../errors.ts';
import type { JobState } from '../../schedule/scheduler.ts';

export interface JobReport {
  readonly lastEnd?: Date;
  /** Of the last run of this daemon, as `run` would have exited. */
  readonly lastExitCode?: number;
}

export interface DaemonState {
  readonly startedAt: Date;
  readonly lookedAt: Date;
  readonly now: Date;
  readonly jobs: readonly (JobState & JobReport)[];
}

/** A scheduler looks once a minute; one that has not for so long hangs. */
const longestSilenceMs = 3 * 60_000;

/** Resolves when it listens. Throws USAGE when the port cannot be had. `port` 0: any free one. */
export async function openHealthServer(port: number, state: () => DaemonState): Promise<Server> {
  // Not for those who never listen: all imports of Node's own are loaded at the start.
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => answer(request, response, state()));
  // A monitor that keeps its connection open must not keep the daemon from ending.
  server.keepAliveTimeout = 1;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  }).catch((cause: Error) => {
    throw new DbBackupError('USAGE', `--health-port ${port} cannot be used: ${cause.message}`, {
      hint: 'Choose a free port above 1023.',
      cause,
    });
  });
  return server;
}

function answer({ method, url }: IncomingMessage, response: ServerResponse, state: DaemonState): void {
  const path = url?.split('?')[0];
  const isRead = method === 'GET' || method === 'HEAD';
  const [code, body] = isRead ? report(path, state) : ([405, { error: 'only GET' }] as const);
  response.writeHead(code, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

function report(path: string | undefined, state: DaemonState): readonly [code: number, body: unknown] {
  if (path !== '/health' && path !== '/jobs') return [404, { error: 'there is /health and /jobs' }];
  const alive = state.now.getTime() - state.lookedAt.getTime() <= longestSilenceMs;
  // That another run was at work already is no failure.
  const failing = state.jobs
    .filter(({ lastExitCode = 0 }) => lastExitCode !== 0 && lastExitCode !== exitCodes.BUSY)
    .map(({ job }) => job);
  const good = alive && (path === '/health' || failing.length === 0);
  const status = alive ? (failing.length === 0 ? 'ok' : 'failing') : 'stuck';
  return [good ? 200 : 503, { status, failing, startedAt: state.startedAt, jobs: state.jobs }];
}
