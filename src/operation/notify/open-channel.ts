import type { AdapterDefinition } from '../../config/config.ts';
import { DbBackupError } from '../../errors.ts';
import type { Notification } from '../../notification/notification.ts';
import type { Runtime } from '../runtime.ts';

export interface Channel extends Notification {
  readonly name: string;
}

/** Throws SECRET_UNAVAILABLE, CONFIG_INVALID, UNSUPPORTED. */
export async function openChannel(definition: AdapterDefinition, runtime: Runtime): Promise<Channel> {
  const type = runtime.notifications.find((each) => each.type === definition.type);
  if (!type) throw new DbBackupError('UNSUPPORTED', `this dbbackup has no notification of type "${definition.type}"`);
  const options = await runtime.resolve(definition, type);
  return { name: definition.name, ...type.open(options, runtime.config?.folder ?? runtime.workingFolder) };
}
