import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { referencesOf } from '../config/references.ts';
import type { JobWithSchedule } from '../operation/schedule/scheduled-jobs.ts';

/** `${NAME}` of scheduled jobs that no file of `NAME=value` lines gives: cron and systemd know nothing of a shell's. */
export async function missingVariables(
  jobs: readonly JobWithSchedule[],
  config: Config,
  environmentFiles: readonly string[],
): Promise<readonly { readonly name: string; readonly place: string }[]> {
  const given = new Set<string>();
  for (const file of environmentFiles) {
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const [, name] of text.matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/gm)) if (name) given.add(name);
  }
  const missing = new Map<string, string>();
  for (const { place, reference } of jobs.flatMap((job) => referencesOf(job, config))) {
    const needed = reference.kind === 'variable' && reference.fallback === undefined && !given.has(reference.name);
    if (needed && !missing.has(reference.name)) missing.set(reference.name, place);
  }
  return [...missing].map(([name, place]) => ({ name, place }));
}
