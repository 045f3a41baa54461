import { dirname, relative, resolve } from 'node:path';
import { configIn } from '../../config/find.ts';
import { typedWord } from '../../value/typed-word.ts';
import type { GlobalOptions } from '../app.ts';
import type { Planned } from './plan-entries.ts';
import type { Wizard } from './wizard.ts';

/** The commands that come next, to be copied as they are. `before`: those that come first. */
export async function nextSteps(
  file: string,
  planned: Planned,
  options: GlobalOptions,
  { output, folders, catalog, runtime }: Wizard,
  before: readonly string[],
): Promise<string> {
  const { job, source, key, entries } = planned;
  const has = (field: string) => entries.some(({ fields }) => fields.some((each) => each.key === field));
  const type =
    entries.find(({ section, name }) => section === 'sources' && name === source)?.fields[0]?.value ??
    runtime.config?.sources.get(source)?.type;
  const setup = catalog.sources.find((each) => each.type === type)?.setup;
  const target = has('databases') ? '--output ./restored.tar' : (setup?.firstRestore(source) ?? '--output ./restored');
  const real = has('databases') ? undefined : setup?.realRestore?.(source);
  const identity = key && ` --identity ${typedWord(seenFrom(folders.working, resolve(dirname(file), key.path)))}`;
  const lines = [
    ...before,
    ...[target, ...(real ? [real] : [])].map((flags) => `dbbackup restore ${job}@latest ${flags}${identity ?? ''}`),
    'dbbackup check',
    ...(has('schedule') ? ['dbbackup schedule install'] : []),
  ];
  // What the search finds need not be named.
  const isFound = options.config === undefined || (await configIn(folders.working)) === file;
  const config = isFound ? '' : ` --config ${typedWord(seenFrom(folders.working, file))}`;
  return ['', 'What next:', ...lines.map((line) => `  ${output.color.cyan(line + config)}`)].join('\n');
}

function seenFrom(folder: string, path: string): string {
  const seen = relative(folder, path);
  return seen.startsWith('..') ? path : seen;
}
