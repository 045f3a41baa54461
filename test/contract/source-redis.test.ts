import { redisType } from '../../src/source/redis/redis.ts';
import { fingerprintOf, startRedis } from '../servers/redis.ts';
import { fillLarge, fillNasty } from '../servers/redis-nasty.ts';
import { describeSource } from './describe-source.ts';

/** Everything that a shell or a configuration could misread. */
const password = 'Canary "9f31" #;\\x=[x] \'é $(x)';

describeSource('redis', {
  type: redisType,
  secret: password,
  async open() {
    const servers: Awaited<ReturnType<typeof startRedis>>[] = [];
    return {
      async makeDatabase() {
        const server = await startRedis({ password });
        servers.push(server);
        return {
          options: { host: server.host, port: server.port, password },
          baseFolder: server.folder,
          fill: () => fillNasty(server),
          fillLarge: () => fillLarge(server),
          fingerprint: () => fingerprintOf(server),
        };
      },
      close: async () => void (await Promise.all(servers.map((server) => server.stop()))),
    };
  },
});
