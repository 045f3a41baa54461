import { type Command, Option } from 'commander';
import { states } from '../../operation/storage/facet.ts';
import { fingerprintsOf } from '../../operation/storage/fingerprints.ts';
import type { Listing, ListRequest } from '../../operation/storage/list.ts';
import { sortFields } from '../../operation/storage/sort-backups.ts';
import type { StoredBackup } from '../../operation/storage/stored-backup.ts';
import { plural } from '../../value/figure.ts';
import { type CommandContext, choices, collect, newCommand, oneOf, positiveInteger, runAction } from '../command.ts';
import { formatBytes, formatTable, formatTime } from '../format.ts';
import type { Output } from '../output.ts';
import { parseSince } from '../parse-since.ts';

interface ListFlags {
  readonly job?: readonly string[];
  readonly type?: readonly string[];
  readonly encryption?: readonly string[];
  readonly state?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly note?: string;
  readonly incomplete?: boolean;
  readonly sort: (typeof sortFields)[number];
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly page: number;
}

interface Page {
  readonly number: number;
  readonly of: number;
  readonly backups: readonly StoredBackup[];
}

export function listCommand(context: CommandContext): Command {
  return newCommand('list')
    .description('what is stored; reads the destinations themselves, not the history')
    .argument('[destination...]', 'only these destinations of the config')
    .option('--job <name>', 'only backups of this job (repeatable; it need not exist any more)', collect)
    .option('--type <engine>', 'only backups of this source type (repeatable)', collect)
    .option('--encryption <what>', 'none, a type, a profile or the beginning of a key id (repeatable)', collect)
    .addOption(choices('--state <state>', 'only in this state (repeatable)', states))
    .option('--since <time>', 'only from then on: 2026-11-01, or 7d, 12h')
    .option('--until <time>', 'only from before then')
    .option('--note <text>', 'only with this in the note')
    .option('--incomplete', 'also what is no complete backup: no sidecar, data gone, damaged')
    .addOption(new Option('--sort <field>', 'in this order').choices(sortFields).default('time'))
    .option('--reverse', 'the other way round: oldest, smallest, z first')
    .option('--limit <n>', 'so many a page; without it all of them', positiveInteger)
    .option('--page <n>', 'which page', positiveInteger, 1)
    .addHelpText('after', examples)
    .action(
      runAction<ListFlags>(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { describeFailure, list } = await import('../../operation/storage/list.ts');
        const request = requestOf(args, options);
        const runtime = await openRuntime(context.app, options, output, { config: 'required', state: false });
        const listing = await list(request, runtime);
        for (const failure of listing.failures) output.warn(describeFailure(failure));
        const page = cutPage(listing, options);
        output.result(
          {
            backups: page.backups.map(toJson),
            facets: listing.facets,
            hidden: listing.hidden,
            total: listing.backups.length,
            page: page.number,
            pages: page.of,
          },
          () => table(listing, page, output),
        );
        return listing.failures.length > 0 ? 7 : undefined;
      }),
    );
}

const examples = `
Filters combine: what is given of one kind is "or", different kinds are "and".

Examples:
  $ dbbackup list
  $ dbbackup list disk --job example --since 7d
  $ dbbackup list --type postgres --encryption none --state unverified
  $ dbbackup list --sort size --limit 10
  $ dbbackup list --json`;

function requestOf(destinations: readonly string[], flags: ListFlags): ListRequest {
  return {
    destinations,
    jobs: flags.job,
    types: flags.type,
    encryption: flags.encryption,
    states: flags.state?.map((state) => oneOf(state, states, '--state')),
    since: flags.since === undefined ? undefined : parseSince(flags.since),
    until: flags.until === undefined ? undefined : parseSince(flags.until),
    note: flags.note,
    incomplete: flags.incomplete ?? false,
    order: { by: flags.sort, reverse: flags.reverse ?? false },
  };
}

/** A page behind the last one is empty, which a script takes for the end. */
function cutPage({ backups }: Listing, { limit = Math.max(1, backups.length), page }: ListFlags): Page {
  const first = (page - 1) * limit;
  return { number: page, of: Math.ceil(backups.length / limit), backups: backups.slice(first, first + limit) };
}

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

function table(listing: Listing, page: Page, output: Output): string {
  const rows = page.backups.map((backup) => {
    const { sidecar } = backup;
    return [
      sidecar?.id.slice(0, 6) ?? backup.name?.id6 ?? '',
      sidecar?.job.name ?? backup.name?.job ?? '',
      formatTime(new Date(sidecar?.startedAt ?? backup.name?.startedAt ?? 0)),
      typeColumn(backup),
      formatBytes(sidecar?.artifact.rawBytes ?? 0),
      formatBytes(backup.object?.size ?? 0),
      keyColumn(backup),
      backup.on.name,
      noteColumn(backup),
    ];
  });
  const header = ['ID', 'JOB', 'STARTED', 'TYPE', 'RAW', 'STORED', 'KEY', 'DESTINATION', 'STATE'];
  const { length } = listing.backups;
  if (length === 0) return `no backups${hiddenNote(listing.hidden)}`;
  const facets = Object.entries(listing.facets).map(([facet, counts]) => {
    const values = Object.entries(counts).map(([value, count]) => `${value} ${count}`);
    return `${facet}: ${values.join(', ')}`;
  });
  const where = page.of > 1 ? `page ${page.number} of ${page.of} · ` : '';
  const foot = `${where}${plural(length, 'backup')} · ${facets.join(' · ')}${hiddenNote(listing.hidden)}`;
  return `${formatTable(header, rows)}\n${output.color.dim(foot)}`;
}

function hiddenNote(hidden: number): string {
  return hidden > 0 ? ` · ${hidden} not complete (--incomplete shows them)` : '';
}

/** The engine; of a bundle with the number of its databases. */
function typeColumn({ sidecar }: StoredBackup): string {
  const count = sidecar?.bundle === undefined ? '' : ` ×${sidecar.source.databases.length}`;
  return `${sidecar?.source.type ?? '?'}${count}`;
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
