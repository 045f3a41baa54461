import { DbBackupError } from '../errors.ts';

/**
 * Splits a command into its words, without a shell: spaces separate; '…' is literal; in "…" a backslash keeps `"` and
 * `\`; outside quotes a backslash keeps the next character. No variables, globs, pipes: for those `sh -c '…'`.
 * @throws CONFIG_INVALID for a quote that is not closed.
 */
export function splitWords(command: string): readonly string[] {
  const words: string[] = [];
  const token = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/sy;
  let word: string | undefined;
  while (token.lastIndex < command.length) {
    const match = token.exec(command);
    if (match === null) throw new DbBackupError('CONFIG_INVALID', 'a quote in a command is not closed');
    const [, single, double, escaped, plain] = match;
    const piece = single ?? double?.replace(/\\(["\\])/g, '$1') ?? escaped ?? plain;
    if (piece === undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + piece;
  }
  if (word !== undefined) words.push(word);
  return words;
}
