/** Which members of a bundle go where. */
import { DbBackupError } from '../../errors.ts';
import type { ManifestMember } from '../../pipeline/bundle/manifest.ts';
import type { DumpFormat, Source } from '../../source/source.ts';
import { typedWord } from '../../value/typed-word.ts';
import { memberFormat } from '../bundle/check-bundle.ts';
import { choiceHint } from '../choice-hint.ts';
import { chooseFormat, refuseUnsupported } from './choose-target.ts';
import type { FoundBackup, RestoreOptions } from './restore.ts';

export interface MemberPlan {
  /** In the bundle. */
  readonly folder: string;
  readonly name: string;
  /** Name of the database it goes into. */
  readonly into: string;
  readonly format: DumpFormat;
  readonly target: Source;
}

export interface BundlePlan {
  readonly databases: readonly MemberPlan[];
  /** Folder of the server's own objects, where they are wanted. */
  readonly globals?: string;
}

/** Throws USAGE and UNSUPPORTED for what cannot be meant; contacts nobody. */
export function planMembers(
  members: readonly Pick<ManifestMember, 'folder' | 'kind' | 'name' | 'format'>[],
  { backup, content, target }: FoundBackup,
  options: RestoreOptions,
): BundlePlan {
  const { server } = target.source;
  if (!server || content.sourceType !== target.type.type) {
    throw new DbBackupError(
      'USAGE',
      `a bundle of ${content.sourceType} databases cannot go into a ${target.type.type}`,
      {
        hint: 'Give a server of the same kind with --to, or write the bundle to a file with --output and look into it with tar.',
      },
    );
  }
  const all = members.filter(({ kind }) => kind === 'database');
  const chosen = choose(
    all.map(({ name }) => name),
    options.databases,
  );
  const renamed = readMap(options.map, chosen);
  const databases = all
    .filter(({ name }) => chosen.includes(name))
    .map(({ folder, name, format }): MemberPlan => {
      const into = renamed.get(name) ?? name;
      return { folder, name, into, target: server.at(into), format: chooseFormat({ format }, target, backup) };
    });
  for (const { format } of databases) refuseUnsupported(options, format, target);
  refuseTwice(databases);
  if (options.tables.length > 0 && databases.length > 1) {
    throw new DbBackupError('USAGE', `--table: of which of the ${databases.length} databases?`, {
      hint: 'Choose one with --database.',
    });
  }
  return { databases, globals: globalsOf(members, options, target.type, server.globals !== undefined) };
}

function choose(known: readonly string[], wanted: readonly string[]): readonly string[] {
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new DbBackupError('USAGE', `the bundle holds no database ${unknown}`, {
      hint: `${choiceHint(unknown, known)} To restore one under another name: --map ${typedWord(`${known[0]}=${unknown}`)}`,
    });
  }
  return wanted.length === 0 ? known : wanted;
}

/** `name=other`; a name may hold the sign itself, so that the bundle's names decide where it is divided. */
function readMap(pairs: readonly string[], chosen: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    pairs.map((pair): [string, string] => {
      const name = chosen.find((each) => pair.startsWith(`${each}=`) && pair.length > each.length + 1);
      if (name !== undefined) return [name, pair.slice(name.length + 1)];
      throw new DbBackupError(
        'USAGE',
        `--map ${pair}: expected the name of a database to restore, =, and another name`,
        {
          hint: choiceHint(pair.split('=')[0] ?? '', chosen),
        },
      );
    }),
  );
}

function refuseTwice(databases: readonly MemberPlan[]): void {
  const twice = databases.find(({ into }, at) => databases.findIndex((each) => each.into === into) !== at);
  if (twice === undefined) return;
  throw new DbBackupError('USAGE', `two databases of the bundle would go into ${twice.into}`, {
    hint: 'Give each one a name of its own with --map.',
  });
}

/** With all databases comes what belongs to the server; whoever chooses some wants them alone. */
function globalsOf(
  members: readonly Pick<ManifestMember, 'folder' | 'kind' | 'format'>[],
  options: RestoreOptions,
  type: FoundBackup['target']['type'],
  isWanted: boolean,
): string | undefined {
  const member = members.find(({ kind }) => kind === 'globals');
  if (options.globals && (!member || !isWanted)) {
    throw new DbBackupError('USAGE', '--globals: the bundle holds none, or the target does not want them', {
      hint: 'Leave it out.',
    });
  }
  const wanted = options.globals ?? (isWanted && options.databases.length === 0 && !options.dataOnly);
  return wanted && member && memberFormat(type, member) ? member.folder : undefined;
}
