/** npm's s3rver, which takes the SDK's chunked bodies for the object itself: it stores other bytes, and answers OK. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface LyingS3 {
  readonly options: { bucket: string; endpoint: string; accessKeyId: string; secretAccessKey: string };
  stop(): Promise<void>;
}

interface Server {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}

export async function startLyingS3(): Promise<LyingS3> {
  const folder = await mkdtemp(join(tmpdir(), 'dbb-lying-'));
  const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => Server;
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory: folder },
    configureBuckets: [{ name: 'backups' }],
  });
  const { port } = await server.run();
  return {
    options: {
      ...{ bucket: 'backups', endpoint: `http://127.0.0.1:${port}` },
      ...{ accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    },
    async stop() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
