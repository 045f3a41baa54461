/**
 * Several databases of one server as one dump. Every one is inspected before the first is dumped, and they are dumped one
 * after the other: each is consistent in itself, at the moment of its own beginning.
 */
import type { DatabaseFilter } from '../../config/config.ts';
import { DbBackupError } from '../../errors.ts';
import { encodeFolder, globalsFolder, type ManifestMember } from '../../pipeline/bundle/manifest.ts';
import { writeBundle } from '../../pipeline/bundle/write-bundle.ts';
import type {
  DatabaseContents,
  Dump,
  DumpFormat,
  DumpRequest,
  Inspection,
  Source,
  SourceContext,
  SourceType,
} from '../../source/source.ts';
import type { Dumpable, JobDump } from '../backup/open-dumpable.ts';
import { type LoadSteps, loadSteps } from '../backup/recovery-recipe.ts';
import { bundleFormat } from './bundle-format.ts';
import { chooseDatabases } from './choose-databases.ts';

interface Member extends ManifestMember {
  readonly dumpFormat: DumpFormat;
  dump(context: SourceContext): Promise<Dump>;
}

/** Asks the server, and dumps nothing. */
export async function openBundle(
  filter: DatabaseFilter,
  type: SourceType,
  source: Source,
  request: DumpRequest,
  context: SourceContext,
): Promise<Dumpable> {
  const { server } = source;
  if (!server) throw new DbBackupError('UNSUPPORTED', `a source of type ${type.type} has no several databases`);
  const names = chooseDatabases(filter, await server.databases(context));
  const members: Member[] = [];
  const inspections: Inspection[] = [];
  for (const name of names) {
    const database = server.at(name);
    inspections.push(await database.inspect(context));
    members.push({
      ...describe('database', name, encodeFolder(name), request.format),
      dump: (execution) => database.dump(request, execution),
    });
  }
  const { globals } = server;
  const globalsFormat = type.capabilities().bundle?.globals;
  // Rows alone do not ask who owns them.
  if (globals && globalsFormat && request.backupType !== 'data') {
    members.unshift({ ...describe('globals', 'globals', globalsFolder, globalsFormat), dump: globals.dump });
  }
  return {
    format: bundleFormat,
    identity: { ...server.identity, fingerprintParts: [...server.identity.fingerprintParts, 'bundle'] },
    inspection: together(names, inspections),
    recovery: recoveryOf(type, members, inspections[0]?.toolVersion),
    dump: async (execution) => dumpBundle(type.type, members, execution),
  };
}

function describe(kind: Member['kind'], name: string, folder: string, dumpFormat: DumpFormat) {
  return { folder, kind, name, format: dumpFormat.name, extension: dumpFormat.extension, dumpFormat };
}

/** Tool and versions are those of the server, the same for all. */
function together(databases: readonly string[], inspections: readonly Inspection[]): Inspection {
  const [first] = inspections;
  if (!first) throw new DbBackupError('UNEXPECTED', 'a bundle of nothing');
  const sizes = inspections.map((each) => each.estimatedBytes);
  const warnings = inspections.flatMap((each, at) => each.warnings.map((line) => `${databases[at]}: ${line}`));
  const estimatedBytes = sizes.includes(undefined)
    ? undefined
    : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  return { ...first, databases, estimatedBytes, warnings };
}

function dumpBundle(sourceType: string, members: readonly Member[], execution: SourceContext): JobDump {
  const contents: DatabaseContents[] = [];
  const sources = members.map((member, at) => ({
    ...member,
    async open(signal: AbortSignal) {
      execution.log('info', `dumping ${member.name} (${at + 1} of ${members.length})`);
      const dump = await member.dump({ ...execution, signal: AbortSignal.any([execution.signal, signal]) });
      const tables = async () => {
        const found = await dump.contents();
        contents.push(...found);
        return found[0]?.tables;
      };
      return { stream: dump.stream, tables };
    },
  }));
  const { stream, sums } = writeBundle(sourceType, sources);
  const memberOf = ({ folder, kind, name, format }: Member) => ({ folder, kind, name, format });
  return {
    stream,
    contents: async () => contents,
    members: () =>
      members.flatMap((member) => {
        const sum = sums().find((each) => each.folder === member.folder);
        return sum === undefined ? [] : [{ ...memberOf(member), ...sum }];
      }),
  };
}

/** Each dump out of the archive into a file, then what the engine says of one. */
function recoveryOf(type: SourceType, members: readonly Member[], toolVersion: string | undefined): LoadSteps {
  const withGlobals = members.some(({ kind }) => kind === 'globals');
  const steps = members.map((member) => {
    const { packages, commands } = loadSteps(type.recovery(member.dumpFormat, [member.name], withGlobals, toolVersion));
    // Neither `@` nor `%` means anything to a shell.
    const file = `${member.folder}${member.extension}`;
    const extract = (bundle: string) => `tar -xOf ${bundle} ${member.folder} > ${file}`;
    return { packages, commands: (bundle: string) => [extract(bundle), ...commands(file)] };
  });
  return {
    packages: steps.flatMap(({ packages }) => packages),
    commands: (bundle) => steps.flatMap(({ commands }) => commands(bundle)),
  };
}
