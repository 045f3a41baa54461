import type { Command } from 'commander';
import { fingerprintsOf } from '../../operation/storage/fingerprints.ts';
import type { Listing } from '../../operation/storage/list.ts';
import type { StoredBackup } from '../../operation/storage/stored-backup.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import { formatBytes, formatTable, formatTime } from '../format.ts';
import type { Output } from '../output.ts';
import { parseSince } from '../parse-since.ts';

interface ListFlags {
  readonly job?: string;
  readonly type?: string;
  readonly since?: string;
  readonly incomplete?: boolean;
}

export function listCommand(context: CommandContext): Command {
  return newCommand('list')
    .description('what is stored; reads the destinations themselves, not the history')
    .argument('[destination...]', 'only these destinations of the config')
    .option('--job <name>', 'only backups of this job (it need not exist any more)')
    .option('--type <engine>', 'only backups of this source type')
    .option('--since <time>', 'only from then on: 2026-11-01, or 7d, 12h')
    .option('--incomplete', 'also what is no complete backup: no sidecar, data gone, damaged')
    .addHelpText('after', examples)
    .action(
      runAction<ListFlags>(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { describeFailure, list } = await import('../../operation/storage/list.ts');
        const runtime = await openRuntime(context.app, options, output, { config: 'required', state: false });
        const filter = {
          destinations: args,
          job: options.job,
          type: options.type,
          since: options.since === undefined ? undefined : parseSince(options.since),
          incomplete: options.incomplete ?? false,
        };
        const listing = await list(filter, runtime);
        for (const failure of listing.failures) output.warn(describeFailure(failure));
        const backups = listing.backups.map(toJson);
        output.result({ backups, facets: listing.facets, hidden: listing.hidden }, () => table(listing, output));
        return listing.failures.length > 0 ? 7 : undefined;
      }),
    );
}

const examples = `
Examples:
  $ dbbackup list
  $ dbbackup list disk --job example --since 7d
  $ dbbackup list --json`;

/** What `list` and `show` tell programs about a backup. */
export function toJson(backup: StoredBackup): Record<string, unknown> {
  return {
    destination: backup.on.name,
    key: backup.key,
    condition: backup.condition,
    problem: backup.problem,
    size: backup.object?.size,
    sidecar: backup.sidecar,
    state: backup.state,
  };
}

function table(listing: Listing, output: Output): string {
  const rows = listing.backups.map((backup) => {
    const { sidecar } = backup;
    return [
      sidecar?.id.slice(0, 6) ?? backup.name?.id6 ?? '',
      sidecar?.job.name ?? backup.name?.job ?? '',
      formatTime(new Date(sidecar?.startedAt ?? backup.name?.startedAt ?? 0)),
      sidecar?.source.type ?? '?',
      formatBytes(sidecar?.artifact.rawBytes ?? 0),
      formatBytes(backup.object?.size ?? 0),
      keyColumn(backup),
      backup.on.name,
      noteColumn(backup),
    ];
  });
  const header = ['ID', 'JOB', 'STARTED', 'TYPE', 'RAW', 'STORED', 'KEY', 'DESTINATION', 'STATE'];
  if (rows.length === 0) return `no backups${listing.hidden > 0 ? hiddenNote(listing.hidden) : ''}`;
  const facets = Object.entries(listing.facets).map(([facet, counts]) => {
    const values = Object.entries(counts).map(([value, count]) => `${value} ${count}`);
    return `${facet}: ${values.join(', ')}`;
  });
  const foot = `${rows.length} backups · ${facets.join(' · ')}${listing.hidden > 0 ? hiddenNote(listing.hidden) : ''}`;
  return `${formatTable(header, rows)}\n${output.color.dim(foot)}`;
}

function hiddenNote(hidden: number): string {
  return ` · ${hidden} not complete (--incomplete shows them)`;
}

/** Which key opens it; `-` for a backup that is not encrypted. */
function keyColumn({ sidecar }: StoredBackup): string {
  const { encryption } = sidecar ?? {};
  if (!encryption) return '-';
  if (encryption.passphrase) return 'passphrase';
  const ids = fingerprintsOf(encryption).map((id) => id.slice(0, 8));
  return ids.join(',') || encryption.type;
}

function noteColumn({ condition, problem, state, sidecar }: StoredBackup): string {
  const verified = state?.verifications.at(-1);
  const parts = [
    condition === 'complete' ? '' : `${condition}: ${problem}`,
    state?.locked ? 'locked' : '',
    state?.suspect && !state.accepted ? `suspect: ${state.suspect.reason}` : '',
    verified ? `verify ${verified.result} ${formatTime(new Date(verified.at))}` : '',
    sidecar?.note ? `"${sidecar.note}"` : '',
  ];
  return parts.filter((part) => part !== '').join('; ') || 'ok';
}
