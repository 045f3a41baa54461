import ignore, { type Ignore } from 'ignore';
import type { FilesOptions } from './options.ts';

/** The library remembers every path it has judged; it is made anew before that weighs. */
const remembered = 10_000;

/** Which entries of a folder are wanted: patterns as .gitignore has them (gitignore(5)), `*` never crossing a slash. */
export class Selection {
  readonly #exclude: Patterns | undefined;
  readonly #include: Patterns | undefined;

  constructor({ include, exclude }: Pick<FilesOptions, 'include' | 'exclude'>) {
    this.#exclude = exclude && new Patterns(exclude);
    this.#include = include && new Patterns(include);
  }

  /** What is excluded is not even looked into. */
  excludes(path: Buffer, isFolder: boolean): boolean {
    return this.#exclude?.match(path, isFolder) ?? false;
  }

  /** It, or a folder above it, is included; without `include` everything is. */
  includes(path: Buffer, isFolder: boolean): boolean {
    return this.#include?.match(path, isFolder) ?? true;
  }
}

class Patterns {
  readonly #patterns: readonly string[];
  #matcher: Ignore;
  #judged = 0;

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns;
    this.#matcher = this.#make();
  }

  match(path: Buffer, isFolder: boolean): boolean {
    this.#judged += 1;
    if (this.#judged % remembered === 0) this.#matcher = this.#make();
    const text = path.toString('utf8');
    return this.#matcher.ignores(isFolder ? `${text}/` : text);
  }

  #make(): Ignore {
    return ignore({ ignorecase: false, allowRelativePaths: true }).add([...this.#patterns]);
  }
}
