import { DbBackupError } from '../errors.ts';

/** For options that take a size, a rate or a time with a unit. Throws USAGE, with an example. */
export function parseAmount(
  flag: string,
  given: string,
  parse: (text: string) => number | undefined,
  example: string,
): number {
  const amount = parse(given);
  if (amount !== undefined && amount > 0) return amount;
  throw new DbBackupError('USAGE', `${flag} ${given}: a value above zero with its unit is needed`, {
    hint: `Write it as ${example}.`,
  });
}
