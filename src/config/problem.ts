/** One thing wrong with a configuration. */
export interface Problem {
  /** `jobs.shop.destinations[1]`; empty for the file as a whole. */
  readonly path: string;
  /** Line in the file, from 1. */
  readonly line?: number;
  readonly message: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}
