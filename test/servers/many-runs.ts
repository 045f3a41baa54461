/** A history and destinations as months of runs leave them: growth, slow nights, failures, a suspect backup. Seeded. */
import { createHash } from 'node:crypto';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ExecutionEnd, type History, openHistory, type RebuiltBackup } from '../../src/history/history.ts';
import { formatArtifactName } from '../../src/sidecar/artifact-name.ts';
import { type Sidecar, serializeSidecar, sourceFingerprint } from '../../src/sidecar/sidecar.ts';

export interface Past {
  readonly job: string;
  readonly runs: number;
  readonly everyMs: number;
  /** When the newest of them began. */
  readonly newest: Date;
  /** Stored bytes of the newest good run; the first one was a third smaller. */
  readonly bytes: number;
  /** Index from the newest → what became of it, other than good. */
  readonly troubles?: (index: number) => ExecutionEnd | undefined;
  readonly note?: string;
}

export interface PastRun {
  readonly id: string;
  readonly backupId: string;
  readonly startedAt: Date;
  readonly end: ExecutionEnd;
}

/** Oldest first. */
export function runsOf(past: Past): readonly PastRun[] {
  return Array.from({ length: past.runs }, (_, place) => runNumber(past, past.runs - 1 - place));
}

/** Number `index`, counted from the newest. */
function runNumber(past: Past, index: number): PastRun {
  const age = index / Math.max(1, past.runs - 1);
  const wobble = share(`${past.job} ${index}`);
  const startedAt = new Date(past.newest.getTime() - index * past.everyMs + Math.round(wobble * 40_000));
  const storedBytes = Math.round(past.bytes * (1 - age / 3) * (0.985 + 0.03 * wobble));
  const rawBytes = Math.round(storedBytes * (3.4 + 0.2 * wobble));
  const slow = index % 31 === 7 ? 2.6 : 1;
  const durationMs = Math.round((storedBytes / 2000 + 800) * (0.85 + 0.4 * wobble) * slow);
  const good: ExecutionEnd = { status: 'completed', rawBytes, storedBytes, durationMs };
  const end = past.troubles?.(index) ?? good;
  const finishedAt = new Date(startedAt.getTime() + (end.durationMs ?? durationMs));
  return {
    id: uuid(`run ${past.job} ${index}`),
    backupId: uuid(`${past.job} ${index}`),
    startedAt,
    end: { ...end, finishedAt },
  };
}

/** Through the history's own doors. The state folder must exist. */
export async function fillHistory(state: string, pasts: readonly Past[]): Promise<void> {
  const history = await openHistory(state);
  try {
    for (const past of pasts) fill(history, past);
  } finally {
    history.close();
  }
}

/** One transaction takes thousands, but only of good ones; the newest and all troubles are written as a run does. */
const writtenAsRuns = 300;

function fill(history: History, past: Past): void {
  const runs = runsOf(past);
  const asRuns = new Set([...runs.slice(-writtenAsRuns), ...runs.filter(({ end }) => end.status !== 'completed')]);
  history.rebuild(runs.filter((run) => !asRuns.has(run)).map((run) => rebuilt(past, run)));
  for (const { id, backupId, startedAt, end } of asRuns) {
    const about = { kind: 'backup', job: past.job, trigger: 'schedule', host: 'db1', pid: 1, note: past.note } as const;
    history.begin({ id, ...about, startedAt, backupId });
    history.finish(id, end);
  }
}

function rebuilt({ job, note }: Past, { backupId, startedAt, end }: PastRun): RebuiltBackup {
  const { rawBytes = 0, storedBytes = 0, durationMs = 0, finishedAt = startedAt } = end;
  const figures = { rawBytes, storedBytes, durationMs };
  const about = { job, note, trigger: 'schedule', host: 'db1', status: 'completed' as const };
  return { backupId, ...about, startedAt, finishedAt, ...figures, destinations: [], validations: [] };
}

/** The backups of the good runs among the newest `count`, with their sidecars; of the right size, and all of them a hole. */
export async function storePast(
  folder: string,
  past: Past,
  source: { readonly type: string; readonly fingerprintParts: readonly string[] },
  count: number,
): Promise<void> {
  for (const { backupId, startedAt, end } of runsOf(past).slice(-count)) {
    if (end.status !== 'completed') continue;
    const sidecar = sidecarOf(past.job, source, { id: backupId, startedAt, end });
    const path = join(folder, past.job, sidecar.artifact.name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, '', { mode: 0o600 });
    await truncate(path, end.storedBytes);
    await writeFile(`${path}.meta.json`, serializeSidecar(sidecar), { mode: 0o600 });
  }
}

interface Stored {
  readonly id: string;
  readonly startedAt: Date;
  readonly end: ExecutionEnd;
}

function sidecarOf(
  job: string,
  source: { readonly type: string; readonly fingerprintParts: readonly string[] },
  { id, startedAt, end }: Stored,
): Sidecar {
  const hash = createHash('sha256').update(id).digest('hex');
  const durationMs = end.durationMs ?? 0;
  const name = formatArtifactName({ job, startedAt, id6: id.slice(0, 6), extensions: '.sqlite.zst' });
  const sizes = { rawBytes: end.rawBytes ?? 0, storedBytes: end.storedBytes ?? 0 };
  return {
    ...{ version: '1.0', id, tool: { name: 'dbbackup', version: '0.1.0' }, job: { name: job }, backupType: 'full' },
    source: {
      ...{ name: job, type: source.type, toolVersion: '3.46', databases: ['main'] },
      fingerprint: sourceFingerprint(source.fingerprintParts),
    },
    startedAt: startedAt.toISOString(),
    finishedAt: new Date(startedAt.getTime() + durationMs).toISOString(),
    ...{ durationMs, host: 'db1', trigger: 'schedule' },
    artifact: { name, format: 'sqlite', ...sizes, rawSha256: hash, storedSha256: hash },
    ...{ compression: { type: 'zstd', level: 3 }, contents: [], recover: ['true'] },
  };
}

function uuid(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-4$3-8$4-$5');
}

/** A number in [0, 1) that belongs to the text. */
function share(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}
