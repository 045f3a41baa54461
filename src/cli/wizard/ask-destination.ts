/** "Where to?" */
import type { AdapterDefinition } from '../../config/config.ts';
import { DbBackupError } from '../../errors.ts';
import type { DestinationSetup } from '../../setup.ts';
import { pathInConfig } from './answer.ts';
import { askOptions } from './ask-options.ts';
import type { AdapterDraft } from './draft.ts';
import { tryUntilItWorks } from './try-out.ts';
import type { Wizard } from './wizard.ts';

export interface DestinationDraft extends AdapterDraft {
  readonly setup: DestinationSetup;
}

export interface ChosenDestinations {
  /** Names of definitions that the config has already. */
  readonly existing: readonly string[];
  readonly drafts: readonly DestinationDraft[];
}

interface Kind {
  readonly type: string;
  readonly setup: DestinationSetup;
}

type Pick = { readonly existing: string } | { readonly kind: Kind };

/** `--destination`: names of the config, a kind, or a place (`./backups`, `s3://bucket/prefix`, `sftp://user@host/path`). */
export async function askDestinations(
  existing: readonly AdapterDefinition[],
  wizard: Wizard,
): Promise<ChosenDestinations | undefined> {
  const kinds = wizard.catalog.destinations.flatMap(({ type, setup }): Kind[] => (setup ? [{ type, setup }] : []));
  const given = wizard.interview.list('destination');
  const picks = given.length > 0 ? undefined : await pick(existing, kinds, wizard);
  if (given.length === 0 && picks === undefined) return undefined;
  const names: string[] = [];
  const drafts: DestinationDraft[] = [];
  for (const each of picks ?? []) {
    if ('existing' in each) names.push(each.existing);
    else drafts.push(await askNew(each.kind, {}, wizard));
  }
  for (const word of given) {
    if (existing.some(({ name }) => name === word)) names.push(word);
    else drafts.push(await fromWord(word, kinds, wizard));
  }
  return { existing: names, drafts };
}

async function pick(existing: readonly AdapterDefinition[], kinds: readonly Kind[], { interview }: Wizard) {
  const ask = { flag: 'destination', message: 'Where shall the backups go?' };
  const fresh = kinds.map((kind) => ({ value: { kind } as Pick, word: kind.type, name: kind.setup.title }));
  if (existing.length === 0 || !interview.onTerminal) {
    const one = await interview.choose(ask, fresh);
    return one && [one];
  }
  const known = existing.map(({ name }) => ({
    value: { existing: name } as Pick,
    word: name,
    name: `${name} (in the config already)`,
  }));
  return interview.pickSeveral(ask.message, [...known, ...fresh]);
}

function fromWord(word: string, kinds: readonly Kind[], wizard: Wizard): Promise<DestinationDraft> {
  const named = kinds.find(({ type }) => type === word);
  if (named) return askNew(named, {}, wizard);
  for (const kind of kinds) {
    const options = kind.setup.fromPlace(word);
    if (options !== undefined) return askNew(kind, inConfig(options, kind, wizard), wizard);
  }
  const places = './backups, s3://bucket/prefix, sftp://user@host/folder, rclone:remote:folder';
  throw new DbBackupError('USAGE', `--destination ${word}: neither in the config nor a place that is known`, {
    hint: `Write ${places}, or one of ${kinds.map(({ type }) => type).join(', ')}.`,
  });
}

function inConfig(options: Readonly<Record<string, unknown>>, { setup }: Kind, { folders }: Wizard) {
  const paths = new Set(setup.questions.filter(({ kind }) => kind === 'path').map(({ option }) => option));
  return Object.fromEntries(
    Object.entries(options).map(([option, value]) => [
      option,
      paths.has(option) ? pathInConfig(String(value), folders) : value,
    ]),
  );
}

/** What a place says is not asked again; what it leaves out may be left out, unless it is needed. */
async function askNew(kind: Kind, said: Readonly<Record<string, unknown>>, wizard: Wizard): Promise<DestinationDraft> {
  const { type, setup } = kind;
  const draft: DestinationDraft = { section: 'destinations', type, setup, options: { ...said }, secrets: {} };
  const isPlace = Object.keys(said).length > 0;
  const open = setup.questions.filter(({ option, required }) => required && said[option] === undefined);
  await askOptions(draft, wizard, isPlace ? open.map(({ option }) => option) : undefined);
  if (wizard.interview.onTerminal && wizard.tries) await tryUntilItWorks(draft, wizard);
  return draft;
}
