/**
 * `<file>` on the command line: a local path, `destination:key`, a backup id or its first six digits, `job@latest` or
 * `job@<timestamp prefix>`. Destinations are asked in the job's order, then in the config's.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AdapterDefinition } from '../../config/config.ts';
import { assertKey } from '../../destination/key.ts';
import { DbBackupError } from '../../errors.ts';
import { openDestination, openLocalFile } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { findBackup, surveyBackups } from './list-backups.ts';
import { isGood, type StoredBackup, startedAt } from './stored-backup.ts';

/** Throws BACKUP_NOT_FOUND with what was looked at, USAGE when an id is ambiguous. */
export async function resolveBackup(reference: string, runtime: Runtime): Promise<StoredBackup> {
  const path = resolve(runtime.workingFolder, reference);
  if ((await stat(path).catch(() => undefined))?.isFile()) {
    const { on, key } = openLocalFile(reference, runtime);
    return findBackup(on, key, runtime.signal);
  }
  return (
    (await byKey(reference, runtime)) ??
    (await byJob(reference, runtime)) ??
    (await byId(reference, runtime)) ??
    notFound(reference, runtime)
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

async function byJob(reference: string, runtime: Runtime): Promise<StoredBackup | undefined> {
  const at = reference.lastIndexOf('@');
  if (at < 1) return undefined;
  const [job, when] = [reference.slice(0, at), reference.slice(at + 1)];
  const wanted = when.replace(/[:.]/g, '-');
  for (const definition of destinationsFor(job, runtime)) {
    const backups = await surveyBackups(await openDestination(definition, runtime), `${job}/`, runtime.signal);
    // A signed backup of another job, copied into this job's folder, is whole and yet not what was asked for.
    const own = backups.filter((each) => isGood(each) && each.sidecar?.job.name === job);
    const newestFirst = own.sort((a, b) => startedAt(b).getTime() - startedAt(a).getTime());
    const match =
      when === 'latest'
        ? newestFirst[0]
        : newestFirst.find((each) => each.name?.startedAt.toISOString().replace(/[:.]/g, '-').startsWith(wanted));
    if (match) return findBackup(match.on, match.key, runtime.signal);
  }
  return undefined;
}

async function byId(reference: string, runtime: Runtime): Promise<StoredBackup | undefined> {
  if (!/^[0-9a-f]{6}[0-9a-f-]*$/i.test(reference)) return undefined;
  const wanted = reference.toLowerCase();
  for (const definition of runtime.config?.destinations.values() ?? []) {
    const backups = await surveyBackups(await openDestination(definition, runtime), '', runtime.signal);
    const matches = backups.filter((each) => (each.sidecar?.id ?? each.name?.id6 ?? '').startsWith(wanted));
    if (matches.length > 1) throw ambiguous(reference, matches);
    if (matches[0]) return findBackup(matches[0].on, matches[0].key, runtime.signal);
  }
  return undefined;
}

function destinationsFor(job: string, runtime: Runtime): readonly AdapterDefinition[] {
  const all = [...(runtime.config?.destinations.values() ?? [])];
  const own = runtime.config?.jobs.get(job)?.destinations ?? [];
  return [...own, ...all.filter((each) => !own.some((first) => first.name === each.name))];
}

function ambiguous(reference: string, matches: readonly StoredBackup[]): DbBackupError {
  const names = matches.map((each) => `  ${each.sidecar?.id ?? ''} ${each.key}`).join('\n');
  return new DbBackupError('USAGE', `"${reference}" names ${matches.length} backups:\n${names}`, {
    hint: 'Give more digits of the id, or destination:key.',
  });
}

function notFound(reference: string, runtime: Runtime): never {
  const places = [...(runtime.config?.destinations.keys() ?? [])];
  const searched = places.length > 0 ? `searched ${places.join(', ')}` : 'no config, so only local files were searched';
  throw new DbBackupError('BACKUP_NOT_FOUND', `no backup "${reference}" (${searched})`, {
    hint: 'dbbackup list shows what there is. Name a backup by path, destination:key, id, job@latest or job@2026-11-20.',
  });
}
