/**
 * Hooks of a job: programs with their words, never a shell line. A text is split into words as in `${exec:…}`; a list
 * is the words themselves. `$${` is a literal `${`; references are not looked up here.
 */
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { duration } from '../value/duration.ts';
import { splitWords } from './words.ts';

/** A program that resists its time limit is killed; the default keeps a forgotten prompt from blocking the night. */
const defaultTimeoutMs = 600_000;

export const hooksSchema = z
  .strictObject({
    before: commands('Before the dump; one that fails ends the run'),
    after: commands('After the dump, whatever became of it: undoes `before`'),
    onSuccess: commands('After the backup was published'),
    onFailure: commands('After the run failed, its last try'),
    timeout: duration().optional().describe('Longest time of each command; default 10m'),
  })
  .transform(({ timeout, ...hooks }) => ({ ...hooks, timeoutMs: timeout ?? defaultTimeoutMs }));

function commands(description: string) {
  const text = z.string().transform(toWords);
  const words = z.array(z.string()).min(1, 'names no program').transform(literalWords);
  return z
    .union([text.transform((one) => [one]), z.array(z.union([text, words]))])
    .default([])
    .describe(description);
}

function toWords(command: string, context: z.RefinementCtx): readonly string[] {
  try {
    const words = splitWords(command);
    if (words[0]) return literalWords(words);
    context.addIssue({ code: 'custom', message: 'names no program' });
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
  return z.NEVER;
}

/** Words with references never come this far: the check refuses them wherever they stand in a job. */
function literalWords(words: readonly string[]): readonly string[] {
  return words.map((word) => word.replaceAll('$${', '${'));
}
