import type { Command } from 'commander';
import { explain } from '../../errors.ts';
import { fingerprintsOf } from '../../operation/storage/fingerprints.ts';
import type { StoredBackup } from '../../operation/storage/stored-backup.ts';
import type { Sidecar } from '../../sidecar/sidecar.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { formatBytes, formatDuration, formatSavings, formatTime } from '../format.ts';
import type { Output } from '../output.ts';
import { toJson } from './list.ts';

export function showCommand(context: CommandContext): Command {
  return newCommand('show')
    .description('one backup in full, with the commands that recover it without dbbackup')
    .argument('<file>', 'a path, destination:key, a backup id or its first six digits, job@latest')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup show example@latest\n  $ dbbackup show ./backups/example/example_….sqlite.zst',
    )
    .action(
      runAction(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { resolveBackup } = await import('../../operation/storage/find-backup.ts');
        const runtime = await openRuntime(context.app, options, output, { config: 'optional', state: false });
        const { assertTrusted } = await import('../../operation/signing.ts');
        const backup = await resolveBackup(args[0] ?? '', runtime);
        const distrust = await assertTrusted(backup, runtime).then(() => undefined, explain);
        output.result({ ...toJson(backup), distrust }, () => describe(backup, distrust, output));
      }),
    );
}

/** `distrust`: why it must not be restored although its sidecar reads well. */
function describe(backup: StoredBackup, distrust: string | undefined, output: Output): string {
  const { sidecar, state } = backup;
  const head: [string, string | undefined][] = [
    ['key', `${backup.on.name}:${backup.key}`],
    ['condition', backup.problem ? `${backup.condition}: ${backup.problem}` : backup.condition],
    ['NOT TRUSTED', distrust],
    ['locked', state?.locked && `${state.locked.at} ${state.locked.reason ?? ''}`],
    ['suspect', state?.suspect && `${state.suspect.reason}${state.accepted ? ' (accepted)' : ''}`],
    ...(state?.verifications ?? [])
      .slice(-3)
      .map((each): [string, string] => [
        each.kind,
        `${each.result} ${formatTime(new Date(each.at))} ${each.error ?? ''}`,
      ]),
  ];
  const lines = [...head, ...(sidecar ? facts(sidecar) : [])].filter(([, value]) => value !== undefined);
  const text = lines.map(([name, value]) => `${output.color.dim(name.padEnd(12))} ${value}`).join('\n');
  if (!sidecar) return text;
  const way = distrust === undefined ? recipe(sidecar, output) : 'its commands for recovery are not shown';
  return `${text}\n\n${contents(sidecar)}\n\n${way}`;
}

function facts(sidecar: Sidecar): [string, string | undefined][] {
  const { artifact, source, compression, encryption } = sidecar;
  const versions = [source.serverVersion && `server ${source.serverVersion}`, source.tool ?? source.toolVersion];
  return [
    ['id', sidecar.id],
    ['job', sidecar.job.name],
    ['source', `${source.name} (${source.type}, ${source.label ?? ''}; ${versions.filter(Boolean).join(', ')})`],
    ['type', `${sidecar.backupType}, ${formatOf(sidecar)}`],
    [
      'started',
      `${formatTime(new Date(sidecar.startedAt))}, took ${formatDuration(sidecar.durationMs)}, on ${sidecar.host}`,
    ],
    ['note', sidecar.note],
    [
      'size',
      `${formatBytes(artifact.rawBytes)} → ${formatBytes(artifact.storedBytes)} (${formatSavings(artifact.rawBytes, artifact.storedBytes)})`,
    ],
    ['compression', compression.level === undefined ? compression.type : `${compression.type} ${compression.level}`],
    ['signature', sidecar.signature === undefined ? 'none' : sidecar.signature.split(':', 2).join(', key ')],
    ['encryption', encryption ? `${encryption.type}, ${keysOf(encryption)}` : 'none'],
    ['raw sha256', artifact.rawSha256],
    ['sha256', artifact.storedSha256],
  ];
}

function formatOf({ artifact, bundle }: Sidecar): string {
  const databases = bundle?.members.filter(({ kind }) => kind === 'database') ?? [];
  if (!bundle) return `format ${artifact.format}`;
  const others = bundle.members.length > databases.length ? ' and what belongs to their server' : '';
  return `bundle of ${databases.length} databases (${databases[0]?.format ?? ''})${others}`;
}

function keysOf(encryption: NonNullable<Sidecar['encryption']>): string {
  if (encryption.passphrase)
    return `needs the passphrase${encryption.profile ? ` of the profile ${encryption.profile}` : ''}`;
  const ids = fingerprintsOf(encryption);
  return `needs ${ids.length > 1 ? 'one of the keys' : 'the key'} ${ids.join(', ')}`;
}

function contents(sidecar: Sidecar): string {
  return sidecar.contents
    .map((database) => {
      const tables = Object.entries(database.tables);
      const rows = tables.map(([name, count]) => `  ${name}${count === null ? '' : `: ${count} rows`}`);
      const member = sidecar.bundle?.members.find(({ kind, name }) => kind === 'database' && name === database.name);
      const size = member === undefined ? '' : `, ${formatBytes(member.bytes)}, sha256 ${member.sha256}`;
      return [`${database.name}, ${tables.length} tables${size}`, ...rows].join('\n');
    })
    .join('\n');
}

function recipe(sidecar: Sidecar, output: Output): string {
  const lines = sidecar.recover.map((line) => `  ${line}`).join('\n');
  return `${output.color.dim('without dbbackup, in the folder that holds the file:')}\n${lines}`;
}
