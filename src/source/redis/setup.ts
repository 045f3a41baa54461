import { stat } from 'node:fs/promises';
import type { SourceSetup, Suggestion, Surroundings } from '../../setup.ts';
import { urlPattern } from './options.ts';

export const redisSetup: SourceSetup = {
  title: 'Redis or Valkey',
  questions: [
    {
      option: 'url',
      kind: 'url',
      message: 'Connection URL, as redis://user@host:6379 or rediss://… (empty: this machine, port 6379)',
    },
    { option: 'password', kind: 'secret', message: 'Password', onRefusal: /WRONGPASS|NOAUTH|AUTH failed/i },
  ],
  more: [
    'tls: verify # with tlsCa for an authority of your own',
    'prefix: [docker, exec, -i, cache] # where the client runs, when not on this machine',
    'Left out, a password comes from the variable REDISCLI_AUTH.',
  ],
  name: 'redis',
  suggest: async (surroundings) => [...fromEnvironment(surroundings), ...(await fromSockets())],
  firstRestore: () => '--output ./restored.rdb',
  realRestore: (source) => `--to ${source} --clean`,
};

function fromEnvironment({ env }: Surroundings): readonly Suggestion[] {
  return ['REDIS_URL', 'VALKEY_URL']
    .filter((name) => urlPattern.test(env[name] ?? ''))
    .map((name) => ({ label: `Redis or Valkey at $${name}`, options: { url: `\${${name}}` } }));
}

/** Debian's. */
const sockets = ['/run/redis/redis-server.sock', '/run/valkey/valkey-server.sock'];

async function fromSockets(): Promise<readonly Suggestion[]> {
  const found: Suggestion[] = [];
  for (const socket of sockets) {
    if (!(await stat(socket).catch(() => undefined))?.isSocket()) continue;
    found.push({ label: `Redis or Valkey on this machine (${socket})`, options: { socket } });
  }
  return found;
}
