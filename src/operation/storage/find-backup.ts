/**
 * `<file>` on the command line: a local path, `destination:key`, a backup id or its first six digits, `job@latest` or
 * `job@<timestamp prefix>`. Destinations are asked in the job's order, then in the config's.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { assertKey } from '../../destination/key.ts';
import { DbBackupError } from '../../errors.ts';
import { nearest } from '../../value/nearest.ts';
import { openDestination, openLocalFile } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { findByJob } from './find-by-job.ts';
import { findBackup } from './list-backups.ts';
import type { StoredBackup } from './stored-backup.ts';
import { survey, type Unsearched } from './survey.ts';

/** Throws BACKUP_NOT_FOUND with what was looked at, USAGE when an id is ambiguous. */
export async function resolveBackup(reference: string, runtime: Runtime): Promise<StoredBackup> {
  const path = resolve(runtime.workingFolder, reference);
  if ((await stat(path).catch(() => undefined))?.isFile()) {
    const { on, key } = openLocalFile(reference, runtime);
    return findBackup(on, key, runtime.signal);
  }
  const unsearched: Unsearched[] = [];
  return (
    (await byKey(reference, runtime)) ??
    (await findByJob(reference, unsearched, runtime)) ??
    (await byId(reference, unsearched, runtime)) ??
    notFound(reference, unsearched, runtime)
  );
}

async function byKey(reference: string, runtime: Runtime): Promise<StoredBackup | undefined> {
  const colon = reference.indexOf(':');
  const definition = colon > 0 ? runtime.config?.destinations.get(reference.slice(0, colon)) : undefined;
  if (!definition) return undefined;
  const key = reference.slice(colon + 1);
  assertKey(key);
  const backup = await findBackup(await openDestination(definition, runtime), key, runtime.signal);
  return backup.object || backup.sidecar ? backup : undefined;
}

async function byId(reference: string, unsearched: Unsearched[], runtime: Runtime): Promise<StoredBackup | undefined> {
  if (!/^[0-9a-f]{6}[0-9a-f-]*$/i.test(reference)) return undefined;
  const wanted = reference.toLowerCase();
  for (const definition of runtime.config?.destinations.values() ?? []) {
    const backups = await survey(definition, '', unsearched, runtime);
    const matches = (backups ?? []).filter((each) => (each.sidecar?.id ?? each.name?.id6 ?? '').startsWith(wanted));
    if (matches.length > 1) throw ambiguous(reference, matches);
    // Another copy of it may lie where nobody could look, and that one would have been meant.
    if (matches[0] && unsearched[0]) throw unsearched[0].error;
    if (matches[0]) return findBackup(matches[0].on, matches[0].key, runtime.signal);
  }
  return undefined;
}

function ambiguous(reference: string, matches: readonly StoredBackup[]): DbBackupError {
  const names = matches.map((each) => `  ${each.sidecar?.id ?? ''} ${each.key}`).join('\n');
  return new DbBackupError('USAGE', `"${reference}" names ${matches.length} backups:\n${names}`, {
    hint: 'Give more digits of the id, or destination:key.',
  });
}

function notFound(reference: string, unsearched: readonly Unsearched[], runtime: Runtime): never {
  const failed = new Set(unsearched.map(({ name }) => name));
  const all = [...(runtime.config?.destinations.keys() ?? [])];
  const places = all.filter((name) => !failed.has(name));
  // Where nothing could be asked, that is the news.
  if (failed.size > 0 && places.length === 0) throw unsearched[0]?.error;
  const without = failed.size > 0 ? `; could not be asked: ${[...failed].join(', ')}` : '';
  const searched =
    all.length > 0 ? `searched ${places.join(', ')}${without}` : 'no config, so only local files were searched';
  throw new DbBackupError('BACKUP_NOT_FOUND', `no backup "${reference}" (${searched})`, {
    hint: `${nearMiss(reference, runtime)}dbbackup list shows what there is. Name a backup by path, destination:key, id, job@latest or job@2026-11-20.`,
  });
}

/** What of the reference names nothing: the job or the destination; or a job that has no such backup. */
function nearMiss(reference: string, { config }: Runtime): string {
  const at = reference.lastIndexOf('@');
  if (at > 0) {
    const [job, when] = [reference.slice(0, at), reference.slice(at)];
    if (config?.jobs.has(job)) return `dbbackup run ${job} makes one. `;
    const meant = nearest(job, [...(config?.jobs.keys() ?? [])]);
    return meant === undefined ? '' : `Did you mean "${meant}${when}"? `;
  }
  const name = /^([^:/]+)(?=:[^/])/.exec(reference)?.[0];
  const isKnown = name === undefined || config?.destinations.has(name);
  const meant = isKnown ? undefined : nearest(name, [...(config?.destinations.keys() ?? [])]);
  return meant === undefined ? '' : `Did you mean "${meant}${reference.slice(name?.length)}"? `;
}
