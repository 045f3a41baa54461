import { DbBackupError, wrapError } from '../errors.ts';
import { capture } from './capture.ts';
import type { Prefix } from './process.ts';

const probeMs = 60_000;
/** Each shell on the way halves a row of backslashes. */
const probe = '\\'.repeat(8);

const opened = new Map<string, Promise<Prefix>>();

/**
 * Tries the way once for all, and finds out how many shells are on it. Throws TOOL_MISSING (the prefix's own program),
 * SOURCE_FAILED, the reason of an aborted signal.
 */
export function openPrefix(words: readonly string[], signal?: AbortSignal): Promise<Prefix> {
  const key = JSON.stringify(words);
  const known = opened.get(key);
  if (known !== undefined) return known;
  const opening = tryPrefix(words, signal);
  opened.set(key, opening);
  opening.catch(() => opened.delete(key));
  return opening;
}

async function tryPrefix(words: readonly string[], signal?: AbortSignal): Promise<Prefix> {
  const [command = '', ...args] = words;
  const way = words.join(' ');
  const all = [...args, 'printf', '%s', probe];
  const { stdout } = await capture({ command, args: all, signal, totalTimeoutMs: probeMs }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    const missing = cause instanceof DbBackupError && cause.code === 'TOOL_MISSING';
    const message = `nothing can be run by "${way}"`;
    if (missing) throw wrapError(cause, 'TOOL_MISSING', message);
    throw new DbBackupError('SOURCE_FAILED', message, { cause, retryable: true, hint: `Try it by hand: ${way} true` });
  });
  const shells = Math.log2(probe.length / stdout.length);
  if (/^\\+$/.test(stdout) && Number.isInteger(shells)) return { words, shells };
  throw new DbBackupError(
    'SOURCE_FAILED',
    `"${way}" changes what programs write: ${JSON.stringify(stdout.slice(0, 80))}`,
    {
      hint: 'Nothing on the way may write to its output (a login script that greets?), and there may be no terminal (-t).',
    },
  );
}
