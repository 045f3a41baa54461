import { realpath } from 'node:fs/promises';
import { isTimezone, machineTimezone } from '../../schedule/timezone.ts';

/** In which cron works: that of the system, whatever TZ says to this process. */
export async function systemTimezone(): Promise<string> {
  const file = await realpath('/etc/localtime').catch(() => '');
  const name = /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(file)?.[1];
  return name !== undefined && isTimezone(name) ? name : machineTimezone();
}
