/** Where a backup goes, and whether what is asked of the restore can be done there. */
import { DbBackupError } from '../../errors.ts';
import type { DumpFormat, RestoreOption } from '../../source/source.ts';
import { type OpenSource, openSource, openTarget } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import type { ContentDescription } from '../storage/describe-content.ts';
import { describeBackup, type StoredBackup } from '../storage/stored-backup.ts';
import type { EarlyTarget } from './approach-target.ts';
import type { RestoreOptions } from './restore.ts';

export async function chooseTarget(
  to: string | undefined,
  backup: StoredBackup,
  content: ContentDescription,
  early: EarlyTarget | undefined,
  runtime: Runtime,
): Promise<OpenSource> {
  const name = to ?? backup.sidecar?.source.name;
  if (early !== undefined && early.name === name) return early.opened;
  if (to !== undefined) return openTarget(to, content.sourceType, runtime);
  const own = backup.sidecar && runtime.config?.sources.get(backup.sidecar.source.name);
  if (own) return openSource(own, runtime);
  throw new DbBackupError('USAGE', `where should ${describeBackup(backup)} be restored to?`, {
    hint: 'Say --to with a source of the config, a URL or the path of a SQLite file; or --output with a file for the plain dump.',
  });
}

/** The target's format of the name that `content` has; throws USAGE where it has none or is another engine. */
export function chooseFormat(
  content: Pick<ContentDescription, 'sourceType' | 'format'>,
  target: OpenSource,
  backup: StoredBackup,
): DumpFormat {
  const { formats } = target.capabilities;
  const format = formats.find((each) => each.name === content.format);
  if (format && (content.sourceType === undefined || content.sourceType === target.type.type)) return format;
  const what = content.format
    ? `a ${content.sourceType ?? ''} dump of format ${content.format}`
    : 'of an unknown format';
  throw new DbBackupError('USAGE', `${describeBackup(backup)} is ${what}; ${target.type.type} cannot take it`, {
    hint: `Give a target of the same kind with --to, or write the plain dump to a file with --output.`,
  });
}

/** What the engine or the format cannot do is refused by name, never ignored. */
export function refuseUnsupported(options: RestoreOptions, format: DumpFormat, target: OpenSource): void {
  const { restoreOptions } = target.capabilities;
  const asked: [RestoreOption, string, boolean][] = [
    ['database', '--database', options.databases.length > 0],
    ['create', '--create', options.create],
    ['clean', '--clean', options.clean],
    ['dataOnly', '--data-only', options.dataOnly],
    ['schemaOnly', '--schema-only', options.schemaOnly],
    ['noOwner', '--no-owner', options.noOwner],
    ['noPrivileges', '--no-privileges', options.noPrivileges],
  ];
  const refused = asked
    .filter(([option, , given]) => given && !restoreOptions.includes(option))
    .map(([, flag]) => flag);
  if (options.tables.length > 0 && !format.restoreTables) refused.push('--table');
  if (options.jobs > 1 && !format.parallelRestore) refused.push('--jobs');
  if (refused.length === 0) return;
  throw new DbBackupError(
    'UNSUPPORTED',
    `${refused.join(', ')}: not possible with a ${target.type.type} dump of format ${format.name}`,
    {
      hint: 'Leave the option out; nothing was read or changed.',
    },
  );
}
