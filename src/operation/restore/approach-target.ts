import { setTimeout as delay } from 'node:timers/promises';
import { type OpenSource, openSource, openTarget } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import type { RestoreOptions } from './restore.ts';

/** A target that is certain, or likely, before the backup has been found; the way to it is being made. */
export interface EarlyTarget {
  /** The name of its source in the config, or the URL in `--to`. */
  readonly name: string;
  /** Rejects when it cannot be opened; who does not choose it need not know. */
  readonly opened: Promise<OpenSource>;
  /** Leaves what was not chosen, and nothing behind. Never rejects. */
  close(): Promise<void>;
}

/** Ms; a way that takes longer to begin goes on beside what else there is to do. */
const patience = 20;

/**
 * Resolves when the way is being made: what opens an execution leaves this thread no time for it. Undefined where only the
 * backup tells which engine, or which source, is meant.
 */
export async function approachTarget(
  reference: string,
  options: RestoreOptions,
  runtime: Runtime,
): Promise<EarlyTarget | undefined> {
  const name = options.to ?? sourceOfJob(reference, runtime);
  const definition = name === undefined ? undefined : runtime.config?.sources.get(name);
  if (name === undefined || (definition === undefined && !isUrl(name))) return undefined;
  const opened = definition ? openSource(definition, runtime) : openTarget(name, undefined, runtime);
  const [database] = options.databases;
  const context = { signal: runtime.signal, temporaryFolder: notYet, log: () => {} };
  const approach = opened
    .then(({ source }) => source.approach?.({ ...options, database }, context))
    .catch(() => undefined);
  const underWay = approach.then((begun) => begun?.underWay);
  await Promise.race([underWay, delay(patience)]);
  return { name, opened, close: async () => (await approach)?.close() };
}

/** Of `job@latest`: what it is taken from, and mostly goes back to. */
function sourceOfJob(reference: string, { config }: Runtime): string | undefined {
  return config?.jobs.get(reference.slice(0, Math.max(0, reference.lastIndexOf('@'))))?.source.name;
}

/** Which no two engines take for theirs. */
function isUrl(target: string): boolean {
  return /^[a-z]+:\/\//.test(target);
}

function notYet(): never {
  throw new Error('an approach has no files');
}
