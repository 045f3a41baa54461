/** The names that the file defines, without a look at anything else in it: for the shell's completion. */
import { parseConfigDocument } from './document.ts';
import { type ConfigPlace, readConfigText } from './read-text.ts';
import { isRecord, valueAt } from './walk-strings.ts';

const sections = new Set(['jobs', 'sources', 'destinations', 'encryption', 'notifications']);

/** In the file's order; only names that the schema allows, which no shell takes for anything else. */
export async function configNames(section: string, place: ConfigPlace): Promise<readonly string[]> {
  if (!sections.has(section)) return [];
  const { raw } = parseConfigDocument((await readConfigText(place)).text);
  const defined = valueAt(raw, [section]);
  return isRecord(defined) ? Object.keys(defined).filter((name) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) : [];
}
