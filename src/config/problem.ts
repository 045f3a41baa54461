import { redact } from '../redact.ts';
import type { Path } from './walk-strings.ts';

/** One thing wrong with a configuration. Nothing in it repeats a value of the file. */
export interface Problem {
  /** `jobs.shop.destinations[1]`; empty for the file as a whole. */
  readonly path: string;
  /** Line in the file, from 1. */
  readonly line?: number;
  readonly message: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** `file:12 jobs.shop.retentoin: unknown key; did you mean "retention"?` */
export function formatProblem(file: string, problem: Problem): string {
  const place = problem.line === undefined ? file : `${file}:${problem.line}`;
  const suggestion = problem.suggestion === undefined ? '' : `; did you mean "${problem.suggestion}"?`;
  return redact(`${place}${problem.path === '' ? '' : ` ${problem.path}`}: ${problem.message}${suggestion}`);
}

/** A path as people write it. A key that is not a plain word is cut there: `password:hunter2` may be a slip. */
export function formatPath(path: Path): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      const name = /^[\w-]+$/.test(String(key)) ? String(key) : `"${leadingWord(String(key))}…"`;
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}

/** What is surely the key in `password:hunter2`, where the space after the colon was forgotten. */
export function leadingWord(key: string): string {
  return /^[\w-]*/.exec(key)?.[0] ?? '';
}
