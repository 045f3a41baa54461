import type { DatabaseFilter } from '../../config/config.ts';
import { DbBackupError } from '../../errors.ts';
import { choiceHint } from '../choice-hint.ts';

/**
 * The databases that a job means, in the server's order. Throws SOURCE_FAILED for a name or pattern to include that
 * matches none: what is missing on the server would be missing in the backup, and nobody would know.
 */
export function chooseDatabases({ include, exclude }: DatabaseFilter, known: readonly string[]): readonly string[] {
  for (const pattern of include) {
    const matches = matcher(pattern);
    if (known.some(matches)) continue;
    throw new DbBackupError('SOURCE_FAILED', `no database on the server is called ${pattern}`, {
      hint: choiceHint(pattern, known),
    });
  }
  const wanted = include.map(matcher);
  const unwanted = exclude.map(matcher);
  const chosen = known.filter((name) => wanted.some((is) => is(name)) && !unwanted.some((is) => is(name)));
  if (chosen.length > 0) return chosen;
  throw new DbBackupError('SOURCE_FAILED', 'databases: everything that is included is excluded, too', {
    hint: choiceHint('', known),
  });
}

/** `*` for any text, `?` for one letter; `\*` for the letter itself. */
function matcher(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/\\(.)|[\s\S]/gu, (letter, escaped?: string) => {
    if (escaped !== undefined) return quote(escaped);
    if (letter === '*') return '.*';
    return letter === '?' ? '.' : quote(letter);
  });
  const whole = new RegExp(`^${source}$`, 'su');
  return (name) => whole.test(name);
}

function quote(letter: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(letter) ? `\\${letter}` : letter;
}
