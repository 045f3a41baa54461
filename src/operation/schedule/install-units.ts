import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import { capture } from '../../process/process.ts';
import type { UnitFile } from '../../schedule/systemd.ts';
import type { SchedulePlan, TextChange } from './schedule-plan.ts';
import { isOurs, readUnits, type UnitFolder } from './unit-folder.ts';

/** What it takes to have exactly these units of ours in a folder. Nothing is changed before `apply`. */
export async function planUnits(
  configFile: string,
  wanted: readonly UnitFile[],
  folder: UnitFolder,
  signal: AbortSignal,
): Promise<SchedulePlan> {
  const there = await readUnits(folder);
  refuseForeign(wanted, there, folder, configFile);
  const gone = there.filter((unit) => isOurs(unit, configFile) && !wanted.some((each) => each.name === unit.name));
  const changes: TextChange[] = [
    ...gone.map(({ name, content }) => ({ name, before: content, after: '' })),
    ...wanted.flatMap(({ name, content }) => {
      const before = there.find((unit) => unit.name === name)?.content ?? '';
      return before === content ? [] : [{ name, before, after: content }];
    }),
  ];
  const remarks: string[] = [];
  return {
    place: folder.path,
    changes,
    remarks,
    async apply() {
      await stop(timersOf(gone), folder, signal);
      await write(changes, folder.path);
      remarks.push(...(await start(timersOf(wanted), folder, signal)));
    },
  };
}

function refuseForeign(
  wanted: readonly UnitFile[],
  there: readonly UnitFile[],
  { path }: UnitFolder,
  configFile: string,
): void {
  const foreign = there.find((unit) => !isOurs(unit, configFile) && wanted.some(({ name }) => name === unit.name));
  if (foreign === undefined) return;
  throw new DbBackupError('USAGE', `${join(path, foreign.name)} is there already, and was not made for ${configFile}`, {
    hint: 'Give the job another name, or take the unit away (dbbackup schedule remove --config <its config>).',
  });
}

function timersOf(units: readonly UnitFile[]): readonly string[] {
  return units.map(({ name }) => name).filter((name) => name.endsWith('.timer'));
}

async function write(changes: readonly TextChange[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, after } of changes) {
    if (after === '') await rm(join(folder, name), { force: true });
    // Readable by all, as units are; they hold no secret.
    else await writeFile(join(folder, name), after, { mode: 0o644 });
  }
}

async function stop(timers: readonly string[], folder: UnitFolder, signal: AbortSignal): Promise<void> {
  if (timers.length === 0) return;
  if (folder.isManaged) await systemctl(['disable', '--now', ...timers], folder, signal);
  // Without its manager nobody else takes away what `enable` has made.
  for (const timer of timers) await rm(join(folder.path, 'timers.target.wants', timer), { force: true });
}

/** What is left for the user to do. */
async function start(timers: readonly string[], folder: UnitFolder, signal: AbortSignal): Promise<readonly string[]> {
  const steps = [['daemon-reload'], ...(timers.length > 0 ? [['enable', '--now', ...timers]] : [])];
  if (folder.isManaged) {
    for (const step of steps) await systemctl(step, folder, signal);
  }
  const byHand = steps.map((step) => ['systemctl', ...folder.systemctl, ...step].join(' ')).join(' && ');
  const lingers = folder.scope === 'user' && timers.length > 0;
  return [
    ...(folder.isManaged ? [] : [`systemd does not run here; where it does: ${byHand}`]),
    ...(lingers ? ['timers of a user run while the user is logged in; always with: loginctl enable-linger'] : []),
  ];
}

async function systemctl(args: readonly string[], folder: UnitFolder, signal: AbortSignal): Promise<void> {
  await capture({
    command: 'systemctl',
    args: [...folder.systemctl, ...args],
    signal,
    totalTimeoutMs: 60_000,
  });
}
