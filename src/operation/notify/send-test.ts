import { DbBackupError, wrapError } from '../../errors.ts';
import { choiceHint } from '../choice-hint.ts';
import type { Runtime } from '../runtime.ts';
import { openChannel } from './open-channel.ts';

/** Sends a test message, once, and resolves with the answer. Throws USAGE for an unknown name, NOTIFICATION_FAILED. */
export async function sendTest(
  name: string,
  runtime: Runtime,
): Promise<{ readonly type: string; readonly answer: string }> {
  const known = runtime.config?.notifications;
  const definition = known?.get(name);
  if (definition === undefined) {
    const hint = choiceHint(name, known?.keys() ?? []);
    throw new DbBackupError('USAGE', `no notification "${name}" in ${runtime.config?.file}`, { hint });
  }
  const channel = await openChannel(definition, runtime);
  const text = `If you can read this, dbbackup on ${runtime.host} can reach you here.`;
  const about = { job: 'test', status: 'test', host: runtime.host, at: new Date(), warnings: [], log: [] };
  const message = { ...about, event: 'test' as const, title: `test of the notification ${name}`, text };
  try {
    return { type: definition.type, answer: await channel.send(message, { signal: runtime.signal }) };
  } catch (error) {
    throw wrapError(error, 'NOTIFICATION_FAILED', `the test of notification ${name} failed`);
  }
}
