/** From a definition in the config (or a bare path or URL on the command line) to an opened adapter. */
import { createHash } from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';
import type { AdapterDefinition } from '../config/config.ts';
import type { EncryptionProfile } from '../crypto/all.ts';
import { Bandwidth } from '../destination/bandwidth.ts';
import type { Destination } from '../destination/destination.ts';
import { type BandwidthLimits, LimitedDestination } from '../destination/limited-destination.ts';
import { DbBackupError, wrapError } from '../errors.ts';
import type { Source, SourceCapabilities, SourceType } from '../source/source.ts';
import { cacheFile } from '../state-folder.ts';
import type { Runtime } from './runtime.ts';
import type { CacheFile } from './storage/sidecar-cache.ts';
import type { OpenDestination } from './storage/stored-backup.ts';

export interface OpenSource {
  readonly name: string;
  readonly type: SourceType;
  readonly source: Source;
  /** With the options that it was opened with. */
  readonly capabilities: SourceCapabilities;
}

export async function openSource(definition: AdapterDefinition, runtime: Runtime): Promise<OpenSource> {
  const type = sourceType(definition.type, runtime);
  const options = await runtime.resolve(definition, type);
  const source = type.open(options, baseFolder(runtime));
  return { name: definition.name, type, source, capabilities: type.capabilities(options) };
}

export function sourceType(name: string, runtime: Runtime): SourceType {
  const type = runtime.sources.find((each) => each.type === name);
  if (type) return type;
  throw new DbBackupError('UNSUPPORTED', `this dbbackup has no source of type "${name}"`, {
    hint: `It knows ${runtime.sources.map((each) => each.type).join(', ')}.`,
  });
}

/** `--to`: the name of a source in the config, or a URL or path that one of the engines recognises. */
export async function openTarget(target: string, preferred: string | undefined, runtime: Runtime): Promise<OpenSource> {
  const definition = runtime.config?.sources.get(target);
  if (definition) return openSource(definition, runtime);
  const inOrder = [...runtime.sources].sort((a, b) => Number(b.type === preferred) - Number(a.type === preferred));
  for (const type of inOrder) {
    const options = type.fromTarget(target);
    if (options === undefined) continue;
    const source = type.open(options, runtime.workingFolder);
    return { name: target, type, source, capabilities: type.capabilities(options) };
  }
  throw new DbBackupError(
    'USAGE',
    `--to ${target}: neither a source of the config nor a target that any engine knows`,
    {
      hint: 'Give the name of a source, a URL such as postgres://user@host/database, mysql://user@host/database or redis://host, or the path of a SQLite file.',
    },
  );
}

export async function openDestination(definition: AdapterDefinition, runtime: Runtime): Promise<OpenDestination> {
  const type = runtime.destinations.find((each) => each.type === definition.type);
  if (!type) throw new DbBackupError('UNSUPPORTED', `this dbbackup has no destination of type "${definition.type}"`);
  const options = await runtime.resolve(definition, type);
  const destination = limited(type.open(options, baseFolder(runtime)), definition);
  return { name: definition.name, destination, cache: cacheOf(definition, destination.label, runtime) };
}

/** Jobs that run at the same time share the line to a destination, and so its limit. */
const lines = new WeakMap<AdapterDefinition, BandwidthLimits>();

function limited(destination: Destination, definition: AdapterDefinition): Destination {
  if (definition.limit === undefined) return destination;
  const { upload, download } = definition.limit;
  const line = lines.get(definition) ?? {
    upload: upload === undefined ? undefined : new Bandwidth(upload),
    download: download === undefined ? undefined : new Bandwidth(download),
  };
  lines.set(definition, line);
  return new LimitedDestination(destination, line);
}

/** Another place under the same name has another file: its keys may be the same. Secrets are not yet looked up in it. */
function cacheOf(definition: AdapterDefinition, label: string, runtime: Runtime): CacheFile {
  const place = JSON.stringify([definition.type, definition.options, baseFolder(runtime), label]);
  const name = createHash('sha256').update(place).digest('hex').slice(0, 16);
  return { path: cacheFile(runtime.stateFolder, name), version: runtime.tool.version };
}

/** The folder that a file lies in, as a destination, and the file's key in it. */
export function openLocalFile(path: string, runtime: Runtime): { on: OpenDestination; key: string } {
  const type = runtime.destinations.find((each) => each.type === 'local');
  if (!type) throw new DbBackupError('UNSUPPORTED', 'local files cannot be read: no destination of type "local"');
  const absolute = resolve(runtime.workingFolder, path);
  const destination = type.open({ path: dirname(absolute) }, runtime.workingFolder);
  return { on: { name: dirname(absolute), destination }, key: basename(absolute) };
}

/** A profile with its key material read and checked. */
export async function openEncryption(definition: AdapterDefinition, runtime: Runtime): Promise<EncryptionProfile> {
  const type = runtime.encryption.find((each) => each.type === definition.type);
  if (!type) throw new DbBackupError('UNSUPPORTED', `this dbbackup has no encryption of type "${definition.type}"`);
  try {
    return await type.open(await runtime.resolve(definition, type), baseFolder(runtime));
  } catch (cause) {
    throw wrapError(cause, 'CONFIG_INVALID', `encryption "${definition.name}" cannot be used`);
  }
}

function baseFolder(runtime: Runtime): string {
  return runtime.config?.folder ?? runtime.workingFolder;
}
