/** "What do you want to back up?" */
import { basename, extname } from 'node:path';
import type { AdapterDefinition } from '../../config/config.ts';
import type { SourceSetup, Suggestion } from '../../setup.ts';
import { askOptions } from './ask-options.ts';
import type { AdapterDraft } from './draft.ts';
import type { Choice } from './interview.ts';
import { tryUntilItWorks } from './try-out.ts';
import type { Wizard } from './wizard.ts';

export interface ChosenSource {
  /** Name of a definition that the config has already, or a new one. */
  readonly existing?: string;
  readonly draft?: AdapterDraft;
  readonly setup?: SourceSetup;
  /** What a job could be called. */
  readonly name: string;
}

interface Kind {
  readonly type: string;
  readonly setup: SourceSetup;
}

type Pick = { readonly existing: AdapterDefinition } | { readonly kind: Kind; readonly suggestion?: Suggestion };

export async function askSource(
  existing: readonly AdapterDefinition[],
  wizard: Wizard,
): Promise<ChosenSource | undefined> {
  const kinds = wizard.catalog.sources.flatMap(({ type, setup }): Kind[] =>
    setup === undefined ? [] : [{ type, setup }],
  );
  const ask = { flag: 'source', message: 'What do you want to back up?' };
  const pick = await wizard.interview.choose(ask, [
    ...existing.map((each) => ({
      value: { existing: each },
      word: each.name,
      name: `${each.name} (in the config already)`,
    })),
    ...(await suggestions(kinds, wizard)),
    ...kinds.map((kind) => ({ value: { kind }, word: kind.type, name: kind.setup.title })),
  ]);
  if (pick === undefined) return undefined;
  return 'existing' in pick ? known(pick.existing, wizard) : askNew(pick, wizard);
}

/** Found things first: only on a terminal, since a flag says what it means. */
async function suggestions(kinds: readonly Kind[], { interview, app }: Wizard): Promise<Choice<Pick>[]> {
  if (!interview.onTerminal || interview.flag('source') !== undefined) return [];
  const found: Choice<Pick>[] = [];
  for (const kind of kinds) {
    for (const suggestion of (await kind.setup.suggest?.({ env: app.env, folder: app.workingFolder })) ?? []) {
      found.push({ value: { kind, suggestion }, word: '', name: `${suggestion.label}  ← found` });
    }
  }
  return found;
}

function known(definition: AdapterDefinition, { catalog }: Wizard): ChosenSource {
  const setup = catalog.sources.find(({ type }) => type === definition.type)?.setup;
  return { existing: definition.name, setup, name: definition.name };
}

async function askNew({ kind, suggestion }: Extract<Pick, { kind: Kind }>, wizard: Wizard): Promise<ChosenSource> {
  const { type, setup } = kind;
  const draft: AdapterDraft = { section: 'sources', type, setup, options: { ...suggestion?.options }, secrets: {} };
  await askOptions(draft, wizard, suggestion && (suggestion.open ?? []));
  const trial = wizard.interview.onTerminal && wizard.tries ? await tryUntilItWorks(draft, wizard) : undefined;
  return { draft, setup, name: plainName(setup.name ?? trial?.name ?? nameOf(draft)) };
}

/** What is backed up, as far as the options tell. */
function nameOf({ type, options }: AdapterDraft): string {
  const { database, path, url } = options;
  const ofUrl = typeof url === 'string' ? /:\/\/[^/]*\/([^?#]+)/.exec(url)?.[1] : undefined;
  return [database, typeof path === 'string' ? basename(path) : undefined, ofUrl, type].find(Boolean) as string;
}

/** Jobs become parts of file names. */
function plainName(name: string): string {
  const stem = basename(name, /^\.(sqlite3?|db3?)$/i.test(extname(name)) ? extname(name) : '');
  return (
    stem
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 60) || 'backup'
  );
}
