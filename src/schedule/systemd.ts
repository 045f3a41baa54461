/**
 * A service and a timer for each job. Both say in their first line that they are ours and of which config. The services
 * are not shut into a sandbox: hooks, mounts, sockets and setuid tools of a backup must work as they do in a shell.
 */
import { DbBackupError } from '../errors.ts';
import { type Launch, runArguments } from './launch.ts';
import { onCalendar } from './on-calendar.ts';
import { cronOf, describeSchedule, type ScheduledJob } from './schedule.ts';

export interface UnitFile {
  /** `dbbackup-shop.timer` */
  readonly name: string;
  readonly content: string;
}

/** Of the system's manager (root), or of the user's own. */
export type UnitScope = 'system' | 'user';

/** Throws UNSUPPORTED for what no timer can do exactly. */
export function systemdUnits(job: ScheduledJob, launch: Launch, scope: UnitScope): readonly UnitFile[] {
  const expression = cronOf(job.schedule);
  if (expression === undefined) {
    throw new DbBackupError(
      'UNSUPPORTED',
      `job ${job.name}, ${describeSchedule(job.schedule)}: a timer that makes up for missed runs cannot say this interval`,
      {
        hint: 'Use cron, an interval that divides an hour or a day evenly, or `dbbackup daemon`, which can do all of it.',
      },
    );
  }
  return [
    { name: `${unitName(job.name)}.service`, content: service(job, launch, scope) },
    { name: `${unitName(job.name)}.timer`, content: timer(job, onCalendar(expression, job.schedule.timezone), launch) },
  ];
}

export function unitName(job: string): string {
  return `dbbackup-${job}`;
}

/** The first line of every unit of ours. */
export function unitMark(configFile: string): string {
  return `# Made by dbbackup for ${configFile}; \`dbbackup schedule remove\` takes it away.`;
}

function service(job: ScheduledJob, launch: Launch, scope: UnitScope): string {
  const { program, stateFolder, path, home, environmentFile } = launch;
  const variables = { PATH: path, HOME: home, DBBACKUP_STATE_DIR: stateFolder, DBBACKUP_TRIGGER: 'systemd' };
  const network = scope === 'system' ? ['Wants=network-online.target', 'After=network-online.target'] : [];
  return lines(
    unitMark(launch.configFile),
    '[Unit]',
    `Description=Backup ${specifiersEscaped(job.name)} by dbbackup`,
    ...network,
    '',
    '[Service]',
    'Type=oneshot',
    `ExecStart=${[...program, ...runArguments(job.name, launch)].map(commandWord).join(' ')}`,
    ...Object.entries(variables).map(([name, value]) => `Environment=${word(`${name}=${value}`)}`),
    ...(environmentFile === undefined ? [] : [`EnvironmentFile=${plainPath(environmentFile)}`]),
    '# The program ends its dump tools itself, in good order.',
    'KillMode=mixed',
    'TimeoutStopSec=90',
    'UMask=0077',
    '# A core dump would hold passwords and rows.',
    'LimitCORE=0',
    'Nice=10',
    'IOSchedulingClass=best-effort',
    'IOSchedulingPriority=7',
  );
}

function timer(job: ScheduledJob, calendar: readonly string[], launch: Launch): string {
  return lines(
    unitMark(launch.configFile),
    '[Unit]',
    `Description=Backup ${specifiersEscaped(job.name)}: ${describeSchedule(job.schedule)}`,
    '',
    '[Timer]',
    ...calendar.map((each) => `OnCalendar=${each}`),
    '# What was due while the machine was off runs once when it is on again.',
    'Persistent=true',
    '',
    '[Install]',
    'WantedBy=timers.target',
  );
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}

/** Of a directive that knows no quotes. A backslash at the end would take the next line along; blanks there are cut off. */
function plainPath(path: string): string {
  if (!/[\n\r\0]|\\$|\s$/.test(path)) return specifiersEscaped(path);
  throw new DbBackupError('UNSUPPORTED', `a unit cannot name the file ${JSON.stringify(path)}`, {
    hint: 'A path with a line end, or with a blank or backslash at its end, has no place in a unit: move the file.',
  });
}

/** In quotes as systemd.syntax(7) has them; `%` begins a specifier. */
function word(text: string): string {
  if (/[\n\r\0]/.test(text)) throw new DbBackupError('UNSUPPORTED', 'a path with a line end has no place in a unit');
  const escaped = specifiersEscaped(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return /^[\w@+:,./=%-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

/** In a command line `$` is looked up as well (systemd.service(5), "Command lines"). */
function commandWord(text: string): string {
  return word(text.replaceAll('$', '$$$$'));
}

function specifiersEscaped(text: string): string {
  return text.replaceAll('%', '%%');
}
