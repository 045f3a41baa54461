import type { AdapterDefinition } from '../../config/config.ts';
import { openDestination } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { surveyBackups } from './list-backups.ts';
import type { StoredBackup } from './stored-backup.ts';

/** A destination that could not be asked; that another one has what was wanted may make it good. */
export interface Unsearched {
  readonly name: string;
  readonly error: unknown;
}

/** Undefined where it could not be asked, which `unsearched` then tells. */
export async function survey(
  definition: AdapterDefinition,
  prefix: string,
  unsearched: Unsearched[],
  runtime: Runtime,
): Promise<StoredBackup[] | undefined> {
  try {
    return await surveyBackups(await openDestination(definition, runtime), prefix, runtime.signal);
  } catch (error) {
    runtime.signal.throwIfAborted();
    unsearched.push({ name: definition.name, error });
    return undefined;
  }
}
