/** What a run has left behind, whether it succeeded, failed or was killed: files, records, processes. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import { events, expectCode, type Run, type Workplace } from './cli.ts';

/** Relative path → sha256 of every file below `folder`; empty when there is none. */
export async function filesIn(folder: string): Promise<Record<string, string>> {
  if (!existsSync(folder)) return {};
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashed = files.map(async (file) => [relative(folder, file), sha256(await readFile(file))]);
  return Object.fromEntries(await Promise.all(hashed));
}

export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Pids of processes that were started in or for this workplace and still live. Linux. */
export function processesOf({ folder }: Workplace): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.filter((pid) => belongsTo(pid, folder)).map(Number);
}

function belongsTo(pid: string, folder: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    if (/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))) return false;
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    return environment.includes(folder) || readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
  } catch {
    return false;
  }
}

/**
 * Live programs of a name that run behind a prefix, whichever side shows them: those of this workplace, which the prefix
 * names in a variable, since other tests run their own. Linux.
 */
export function programsBehindPrefix(name: string, { folder }: Workplace): number[] {
  const pids = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
  return pids.filter((pid) => isBehindPrefix(pid, name, folder)).map(Number);
}

function isBehindPrefix(pid: string, name: string, folder: string): boolean {
  try {
    // The kernel keeps 15 letters of a name.
    if (readFileSync(`/proc/${pid}/comm`, 'latin1').trim() !== name.slice(0, 15)) return false;
    // Empty for one that is dead and not yet reaped.
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    return environment.includes('DBBACKUP_RUN=') && environment.includes(folder);
  } catch {
    return false;
  }
}

export interface HistoryEntry {
  readonly id: string;
  readonly kind: string;
  readonly job?: string;
  readonly status: string;
  readonly retryCount?: number;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** Newest first. */
export async function historyOf(workplace: Workplace, ...args: string[]): Promise<HistoryEntry[]> {
  const [page] = events<{ executions: HistoryEntry[] }>(
    expectCode(await workplace.run('history', '--limit', '1000', '--json', ...args), 0),
  );
  return page?.executions ?? [];
}

export interface ListedBackup {
  readonly destination: string;
  readonly key: string;
  readonly condition: string;
  readonly sidecar?: { readonly id: string; readonly artifact: { readonly name: string }; readonly note?: string };
}

/** Everything at the destinations that bears one of our names, complete or not. */
export async function backupsOf(workplace: Workplace): Promise<ListedBackup[]> {
  const [listing] = events<{ backups: ListedBackup[] }>(
    expectCode(await workplace.run('list', '--incomplete', '--json'), 0),
  );
  return listing?.backups ?? [];
}

/** The promise of every failure: said once with a code, recorded, and nothing of it left anywhere. */
export async function expectNothingPublished(
  workplace: Workplace,
  before: Record<string, string>,
  failure: { readonly run: Run; readonly exitCode: number; readonly errorCode: string; readonly status?: string },
): Promise<void> {
  expectCode(failure.run, failure.exitCode);
  expect(failure.run.stderr).toMatch(/^error /m);
  expect(processesOf(workplace)).toEqual([]);
  expect(await filesIn(workplace.path('backups'))).toEqual(before);
  expect(await filesIn(workplace.path('state', 'tmp'))).toEqual({});
  expect(await filesIn(workplace.path('state', 'lock'))).toEqual({});
  const [newest] = await historyOf(workplace);
  expect(newest).toMatchObject({ status: failure.status ?? 'failed', error: { code: failure.errorCode } });
}
