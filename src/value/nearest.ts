import { distance } from 'fastest-levenshtein';

/** The candidate that was probably meant: at most a third of its letters differ, or the same ones in another order. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, far: far(text.toLowerCase(), candidate.toLowerCase()) }))
    .filter(
      (each) => each.far <= Math.ceil(longest(text, each.candidate) / 3) && each.far < longest(text, each.candidate),
    )
    .sort((a, b) => a.far - b.far);
  return best?.candidate;
}

function far(a: string, b: string): number {
  const isSwap = [...a].sort().join('') === [...b].sort().join('');
  return isSwap ? Math.min(1, distance(a, b)) : distance(a, b);
}

function longest(a: string, b: string): number {
  return Math.max(a.length, b.length);
}
