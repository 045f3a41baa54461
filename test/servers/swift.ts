/**
 * A throw-away S3-compatible server: OpenStack Swift with its s3api from Debian's packages, as four processes on
 * loopback with a data folder of their own. Every object has one replica; nothing is shared with a system's Swift but
 * the hash prefix in /etc/swift/swift.conf, which the package brings. As root the servers run as the user `swift`. A page
 * of a listing has 15 names, so that few objects make several pages.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './postgres.ts';

const run = promisify(execFile);
const kinds = ['account', 'container', 'object'] as const;

export interface SwiftServer {
  readonly port: number;
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  stop(): Promise<void>;
}

export interface SwiftOptions {
  /** Parts a multipart upload may have; Swift's own default is 1,000. */
  readonly maxParts?: number;
  /** Names in a page of a listing; 15 unless told. */
  readonly pageSize?: number;
}

/** Takes about two seconds; the caller stops it. */
export async function startSwift(options: SwiftOptions = {}): Promise<SwiftServer> {
  if (!existsSync('/usr/bin/swift-proxy-server')) {
    throw new Error('OpenStack Swift is not installed: node test/servers/install.js');
  }
  const folder = await mkdtemp(join(tmpdir(), 'dbb-swift-'));
  const ports = {
    proxy: await freePort(),
    account: await freePort(),
    container: await freePort(),
    object: await freePort(),
  };
  const servers: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await mkdir(join(folder, 'device', 'd1'), { recursive: true });
    await buildRings(folder, ports);
    for (const kind of kinds) {
      await writeFile(join(folder, `${kind}.conf`), storageConfig(folder, kind, ports[kind]));
    }
    await writeFile(join(folder, 'proxy.conf'), proxyConfig(folder, ports.proxy, options));
    await giveAway(folder);
    for (const kind of [...kinds, 'proxy'] as const) servers.push(startServer(kind, folder));
    await Promise.all(Object.values(ports).map(ready));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port: ports.proxy,
    endpoint: `http://127.0.0.1:${ports.proxy}`,
    accessKeyId: 'test:tester',
    secretAccessKey: 'testing-canary-key',
    stop,
  };
}

/** One device, one replica, few partitions; one Python for all three, because each takes a second to start. */
async function buildRings(folder: string, ports: Readonly<Record<string, number>>): Promise<void> {
  const script = `
import json, sys
from swift.common.ring import RingBuilder
folder, ports = sys.argv[1], json.loads(sys.argv[2])
for kind in ('account', 'container', 'object'):
    builder = RingBuilder(2, 1, 1)
    builder.add_dev(dict(id=0, region=1, zone=1, ip='127.0.0.1', port=ports[kind], device='d1', weight=1,
                         replication_ip='127.0.0.1', replication_port=ports[kind], meta=''))
    builder.rebalance()
    builder.get_ring().save(f'{folder}/{kind}.ring.gz')
`;
  await run('/usr/bin/python3', ['-c', script, folder, JSON.stringify(ports)]);
}

function storageConfig(folder: string, kind: string, port: number): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
swift_dir = ${folder}
devices = ${join(folder, 'device')}
mount_check = false
disable_fallocate = true
log_level = ERROR
log_address = ${join(folder, 'no-log')}

[pipeline:main]
pipeline = ${kind}-server

[app:${kind}-server]
use = egg:swift#${kind}
`;
}

function proxyConfig(folder: string, port: number, { maxParts = 1000, pageSize = 15 }: SwiftOptions): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
swift_dir = ${folder}
log_level = ERROR
log_address = ${join(folder, 'no-log')}

[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk tempurl s3api tempauth copy slo dlo versioned_writes symlink proxy-server

[filter:s3api]
use = egg:swift#s3api
s3_acl = false
auth_pipeline_check = false
max_upload_part_num = ${maxParts}
max_bucket_listing = ${pageSize}

[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing-canary-key .admin

[filter:slo]
use = egg:swift#slo
max_manifest_segments = ${maxParts}
max_manifest_size = 8388608

[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:tempurl]
use = egg:swift#tempurl
[filter:copy]
use = egg:swift#copy
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
[filter:symlink]
use = egg:swift#symlink

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
`;
}

async function giveAway(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  if (process.getuid?.() === 0) await run('chown', ['-R', 'swift:swift', folder]);
}

function startServer(kind: string, folder: string): { stop(): Promise<void> } {
  const program = [`/usr/bin/swift-${kind}-server`, join(folder, `${kind}.conf`)];
  // setpriv becomes the program, so that its pid is the server's; a killed test run takes its servers along.
  const asSwift = process.getuid?.() === 0 ? ['--reuid=swift', '--regid=swift', '--clear-groups'] : [];
  const args = ['--pdeathsig=KILL', ...asSwift, ...program];
  const server = spawn('setpriv', args, { stdio: 'ignore', cwd: '/' });
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  return {
    async stop() {
      if (server.exitCode === null && server.signalCode === null) server.kill('SIGKILL');
      await exited;
    },
  };
}

async function ready(port: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await delay(50)) {
    // Any answer will do; the storage servers know no such path.
    if (await fetch(`http://127.0.0.1:${port}/healthcheck`).catch(() => undefined)) return;
  }
  throw new Error('the Swift test server did not become ready');
}
