/** A machine with one job, for tests of retention: real operations, a pretended source, any destination. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { z } from 'zod';
import { checkConfig } from '../../src/config/check.ts';
import type { Job } from '../../src/config/config.ts';
import type { Destination } from '../../src/destination/destination.ts';
import { DbBackupError } from '../../src/errors.ts';
import { openHistory } from '../../src/history/history.ts';
import { tolerantHistory } from '../../src/history/tolerant.ts';
import { type RunOutcome, runJobs } from '../../src/operation/backup/run-jobs.ts';
import { type PruneOptions, type PruneResult, prune } from '../../src/operation/retention/prune.ts';
import type { Runtime } from '../../src/operation/runtime.ts';
import { listBackups } from '../../src/operation/storage/list-backups.ts';
import type { StoredBackup } from '../../src/operation/storage/stored-backup.ts';
import type { RetentionRules } from '../../src/retention/retention.ts';
import { formatArtifactName } from '../../src/sidecar/artifact-name.ts';
import { type Sidecar, serializeSidecar, sidecarExtension, sourceFingerprint } from '../../src/sidecar/sidecar.ts';
import { type BackupState, emptyState, serializeState, stateExtension } from '../../src/sidecar/state.ts';
import type { DumpFormat, SourceType } from '../../src/source/source.ts';

export const signal = new AbortController().signal;
export const jobName = 'shop';
export const usual: PruneOptions = { dryRun: false, adopt: false, forecastDays: 0, destinations: [] };

export interface World {
  readonly runtime: Runtime;
  readonly job: Job;
  readonly fingerprint: string;
  /** May be changed while the test runs. */
  readonly source: { fails: boolean };
  readonly consent: { ask: (question: string) => Promise<void> };
  run(): Promise<RunOutcome>;
  prune(options?: Partial<PruneOptions>): Promise<PruneResult>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly rules: RetentionRules;
  readonly destinations: Readonly<Record<string, Destination>>;
  /** Which database of which machine. */
  readonly source?: string;
}

export async function openWorld({ rules, destinations, source = 'db' }: WorldOptions): Promise<World> {
  const stateFolder = await mkdtemp(join(tmpdir(), 'dbbackup-retention-'));
  const behaviour = { fails: false };
  const consent = { ask: async (_question: string) => {} };
  const sources = [pretendedSource(source, behaviour)];
  const names = Object.keys(destinations);
  const opened = names.map((type) => ({ type, options: z.looseObject({}), open: () => required(destinations[type]) }));
  const catalog = { sources, destinations: opened, encryption: [], notifications: [] };
  const text = {
    sources: { db: { type: 'pretended' } },
    destinations: Object.fromEntries(names.map((type) => [type, { type, path: type }])),
    jobs: { [jobName]: { source: 'db', destinations: names, compression: 'none' } },
  };
  const checked = required(checkConfig(text, '/dbbackup.yaml', '/', catalog).config);
  const job = { ...required(checked.jobs.get(jobName)), retention: new Map(names.map((name) => [name, rules])) };
  const history = tolerantHistory(() => openHistory(stateFolder), fail);
  const runtime: Runtime = {
    tool: { name: 'dbbackup', version: 'test' },
    host: `host of ${source}`,
    trigger: 'test',
    ...catalog,
    config: { ...checked, jobs: new Map([[jobName, job]]) },
    workingFolder: stateFolder,
    stateFolder,
    history,
    signal,
    resolve: async (definition, { options }) => options.parse(definition.options),
    decryptor: () => Promise.reject(new Error('nothing is encrypted here')),
    jobStatistics: async () => undefined,
    recentRuns: async () => [],
    interrupted: async () => [],
    settle: async () => {},
    signingKey: async () => undefined,
    trustedKeys: async () => [],
    emit: () => {},
    consent: (question) => consent.ask(question),
  };
  const run = { wait: false, destinations: [], dryRun: false, retention: true };
  return {
    ...{ runtime, job, consent, source: behaviour, fingerprint: sourceFingerprint([source]) },
    run: () => runJobs([job], run, runtime, () => {}),
    prune: (options) => prune(job, { ...usual, ...options }, runtime),
    async close() {
      history.close();
      await rm(stateFolder, { recursive: true });
    },
  };
}

function fail(error: unknown): never {
  throw error;
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('not there');
  return value;
}

function pretendedSource(name: string, behaviour: { fails: boolean }): SourceType {
  const format: DumpFormat = {
    name: 'sql',
    extension: '.sql',
    restoreFrom: 'stream',
    restoreTables: false,
    parallelRestore: false,
  };
  const never = () => Promise.reject(new Error('not part of this test'));
  return {
    type: 'pretended',
    options: z.strictObject({}),
    capabilities: () => ({
      formats: [format],
      backupTypes: ['full'],
      tableFilter: false,
      schemaFilter: false,
      restoreOptions: [],
    }),
    open: () => ({
      identity: { fingerprintParts: [name], label: name },
      inspect: async () => ({ tool: 'pretend', toolVersion: '1', databases: [name], warnings: [] }),
      async dump() {
        if (behaviour.fails) throw new DbBackupError('SOURCE_FAILED', 'the database is down');
        return { stream: Readable.from([Buffer.from(`dump of ${name}`)]), contents: async () => [] };
      },
      examineTarget: never,
      restore: never,
    }),
    fromTarget: () => undefined,
    endOfDumpCheck: () => new PassThrough(),
    recovery: (_format) => ({ packages: [], command: (file) => `cat ${file}` }),
  };
}

export interface Planted {
  readonly startedAt: Date;
  readonly id: string;
  readonly key: string;
}

/** Puts a whole backup there, as a run of the world's job would have. */
export async function plant(
  world: World,
  on: Destination,
  startedAt: Date,
  state?: Partial<BackupState>,
  change: (sidecar: Sidecar) => Sidecar = (sidecar) => sidecar,
): Promise<Planted> {
  const id = randomUUID();
  const name = formatArtifactName({ job: jobName, startedAt, id6: id.slice(0, 6), extensions: '.sql' });
  const key = `${jobName}/${name}`;
  const bytes = Buffer.from('dump');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const sidecar = change({
    ...{ version: '1.0', id, tool: world.runtime.tool, job: { name: jobName }, backupType: 'full' },
    source: {
      ...{ name: 'db', type: 'pretended', label: 'db', fingerprint: world.fingerprint, toolVersion: '1' },
      databases: [],
    },
    ...{ startedAt: startedAt.toISOString(), finishedAt: startedAt.toISOString(), durationMs: 0 },
    ...{ host: world.runtime.host, trigger: 'test', compression: { type: 'none' }, contents: [], recover: [] },
    artifact: {
      ...{ name, format: 'sql', rawBytes: bytes.length, storedBytes: bytes.length },
      ...{ rawSha256: sha256, storedSha256: sha256 },
    },
  });
  await on.put(key, Readable.from([bytes]), { signal });
  if (state) await on.replace(key + stateExtension, serializeState({ ...emptyState, ...state }), { signal });
  await on.put(key + sidecarExtension, Readable.from([serializeSidecar(sidecar)]), { signal });
  return { startedAt, id, key };
}

/** Everything under a destination, sorted. */
export async function keysOf(on: Destination): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of on.list('')) keys.push(key);
  return keys.sort();
}

export async function backupsOf(on: Destination): Promise<readonly StoredBackup[]> {
  const backups = await listBackups({ name: 'test', destination: on }, '');
  return backups.sort((a, b) => (a.key < b.key ? -1 : 1));
}
