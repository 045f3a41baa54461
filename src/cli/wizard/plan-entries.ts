/** Gives everything a name, every secret a place, and makes the new key: all that has to be known before the file is. */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/config.ts';
import type { Entry } from '../../config/edit/entry.ts';
import { draftKey } from '../../crypto/keygen.ts';
import { DbBackupError } from '../../errors.ts';
import type { ChosenDestinations } from './ask-destination.ts';
import { badName, type ChosenEncryption, type ChosenJob, freeName } from './ask-job.ts';
import type { ChosenSource } from './ask-source.ts';
import { adapterEntry, encryptionEntry, jobEntry } from './compose.ts';
import type { AdapterDraft, Section } from './draft.ts';
import { keepSecrets, type SecretFile } from './keep-secrets.ts';
import type { Wizard } from './wizard.ts';
import type { Plan } from './write-plan.ts';

export interface Answers {
  readonly source: ChosenSource;
  readonly destinations: ChosenDestinations;
  readonly job: ChosenJob;
}

export interface Planned {
  readonly job: string;
  readonly source: string;
  readonly destinations: readonly string[];
  readonly entries: readonly Entry[];
  readonly secrets: readonly SecretFile[];
  readonly variables: Readonly<Record<string, string>>;
  readonly key: Plan['key'];
}

export async function planEntries(
  { source, destinations, job }: Answers,
  config: Config | undefined,
  wizard: Wizard,
): Promise<Planned> {
  const taken = {
    sources: new Set(config?.sources.keys()),
    destinations: new Set(config?.destinations.keys()),
  };
  const entries: Entry[] = [];
  const secrets: SecretFile[] = [];
  const variables: Record<string, string> = {};
  const add = async (draft: AdapterDraft, wanted: string): Promise<string> => {
    const twin = twinOf(draft, config);
    if (twin !== undefined) return twin;
    const name = nameFor(draft.section, wanted, taken[draft.section], wizard);
    taken[draft.section].add(name);
    const kept = await keepSecrets(name, draft, wizard);
    secrets.push(...kept.files);
    Object.assign(variables, kept.variables);
    entries.push(adapterEntry(name, draft));
    return name;
  };
  const sourceName = source.existing ?? (source.draft && (await add(source.draft, job.name))) ?? '';
  const names = [...destinations.existing];
  for (const draft of destinations.drafts) names.push(await add(draft, draft.setup.name));
  const { profile, entry, key } = await planEncryption(job.encryption, config);
  if (entry !== undefined) entries.push(entry);
  const parts = { ...job, source: sourceName, destinations: names, bundle: source.draft?.bundle ?? false };
  entries.push(jobEntry({ ...parts, encryption: profile }));
  return { job: job.name, source: sourceName, destinations: names, entries, secrets, variables, key };
}

/** What the config has already is used again, not defined twice. */
function twinOf({ section, type, options, secrets }: AdapterDraft, config: Config | undefined): string | undefined {
  if (Object.keys(secrets).length > 0) return undefined;
  const known = [...(config?.[section].values() ?? [])];
  return known.find((each) => each.type === type && isDeepStrictEqual(each.options, options))?.name;
}

/** The flag's name must be free; a name of ours makes way. */
function nameFor(section: Section, wanted: string, taken: ReadonlySet<string>, { interview }: Wizard): string {
  const flag = `${section.slice(0, -1)}-name`;
  const given = interview.flag(flag);
  if (given === undefined) return freeName(wanted, taken);
  const problem = taken.has(given) ? 'this name is taken' : badName(given);
  if (problem === undefined) return given;
  throw new DbBackupError('USAGE', `--${flag} ${given}: ${problem}`);
}

async function planEncryption(chosen: ChosenEncryption, config: Config | undefined) {
  if (chosen.kind === 'none') return {};
  if (chosen.kind === 'profile') return { profile: chosen.name };
  const profile = freeName('main', new Set(config?.encryption.keys()));
  if (chosen.kind === 'recipients') return { profile, entry: encryptionEntry(profile, chosen.recipients) };
  const { publicPart = '', write } = await draftKey('age');
  return { profile, entry: encryptionEntry(profile, [publicPart]), key: { path: chosen.file, write } };
}
