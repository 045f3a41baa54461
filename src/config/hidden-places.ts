import { parseConfigDocument } from './document.ts';
import { formatPath } from './problem.ts';
import { walkStrings } from './walk-strings.ts';

/** Where a kept configuration has `***` in place of a secret: `sources.shop.password`. */
export function hiddenPlaces(text: string): readonly string[] {
  const places: string[] = [];
  walkStrings(parseConfigDocument(text).raw, (value, path) => {
    if (value.includes('***')) places.push(formatPath(path));
  });
  return places;
}
