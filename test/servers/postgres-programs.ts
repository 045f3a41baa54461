/**
 * Where the programs of PostgreSQL are: of Debian's majors, server and client; of the majors that `install.js` has
 * fetched with npm, the server alone.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import majors from './postgres-majors.json' with { type: 'json' };

const run = promisify(execFile);
const versionsFolder = '/usr/lib/postgresql';
const cacheFolder = join(import.meta.dirname, '../../node_modules/.cache/postgres');

export interface Programs {
  /** Of initdb and postgres. */
  readonly server: string;
  /** Of psql, pg_dump and their like. */
  readonly client: string;
}

/** The majors installed on this machine, lowest first. Throws when there is none: a suite must not skip silently. */
export function installedMajors(): readonly number[] {
  const found = readdirSync(versionsFolder).map(Number).filter(Number.isInteger);
  const servers = found.filter((major) => isProgram(join(versionsFolder, String(major), 'bin/postgres')));
  if (servers.length === 0) throw new Error('no PostgreSQL server is installed: node test/servers/install.js');
  return servers.sort((a, b) => a - b);
}

/** `user`: runs the server; `folder`: what is out of the user's reach is copied into it. */
export async function programsOf(major: number, user: readonly string[], folder: string): Promise<Programs> {
  const newest = installedMajors().at(-1) ?? 0;
  const own = join(versionsFolder, String(major), 'bin');
  if (isProgram(join(own, 'postgres'))) return { server: own, client: own };
  const fetched = fetchedFolder(major);
  if (fetched === undefined) throw new Error(`no PostgreSQL ${major}: node test/servers/install.js`);
  const client = join(versionsFolder, String(newest), 'bin');
  const [command = '', ...args] = [...user, 'test', '-x', join(fetched, 'bin/postgres')];
  const isReachable = await run(command, args).then(
    () => true,
    () => false,
  );
  if (isReachable) return { server: join(fetched, 'bin'), client };
  const copy = join(folder, 'programs');
  await cp(fetched, copy, { recursive: true, verbatimSymlinks: true });
  return { server: join(copy, 'bin'), client };
}

function fetchedFolder(major: number): string | undefined {
  const version = new Map(Object.entries(majors.versions)).get(String(major));
  if (version === undefined) return undefined;
  const name = `${majors.package}/${process.platform}-${process.arch}`;
  const native = join(cacheFolder, version, 'node_modules', name, 'native');
  return isProgram(join(native, 'bin/postgres')) ? native : undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
