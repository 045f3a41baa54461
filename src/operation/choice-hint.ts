import { nearest } from '../value/nearest.ts';

/** For a name that is none of `known`: the one that was probably meant, and all there are. */
export function choiceHint(name: string, known: Iterable<string>): string {
  const names = [...known];
  const meant = nearest(name, names);
  const all = names.length > 0 ? `There is ${names.join(', ')}.` : 'There is none.';
  return meant === undefined ? all : `Did you mean "${meant}"? ${all}`;
}
