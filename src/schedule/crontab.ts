/**
 * A block of our own in the user's crontab, between two marks that name the config file. Guarantees: every other byte of
 * the crontab stays; no line of ours sets a variable for the lines of others (PATH and all stand in the commands); what
 * Debian's cron cannot do is refused.
 */
import { DbBackupError } from '../errors.ts';
import { type Launch, runArguments } from './launch.ts';
import { cronOf, describeSchedule, type ScheduledJob } from './schedule.ts';
import { isSameTimezone } from './timezone.ts';

/** Bytes: Debian's `crontab` takes a command of 998 and refuses one of 999; other crons cut it without a word. */
const longestCommand = 998;
const poorPath = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';

/** The block with its last line end. Throws UNSUPPORTED for what cron cannot do. */
export function crontabBlock(jobs: readonly ScheduledJob[], launch: Launch, timezone: string): string {
  const lines = jobs.map((job) => crontabLine(job, launch, timezone));
  return [begin(launch.configFile), note, ...lines, end(launch.configFile), ''].join('\n');
}

const note = '# Made by `dbbackup schedule install`, which replaces it; `dbbackup schedule remove` takes it out.';

/** `timezone`: of the machine, in which cron works. */
export function crontabLine(job: ScheduledJob, launch: Launch, timezone: string): string {
  const expression = cronOf(job.schedule);
  if (expression === undefined) throw cannot(job, 'one line of cron cannot say this interval');
  const own = job.schedule.timezone;
  if (own !== undefined && !isSameTimezone(own, timezone)) {
    throw cannot(job, `cron works in the timezone of this machine, ${timezone}`);
  }
  const full = commandOf(job, launch, launch.path);
  const command = Buffer.byteLength(full) <= longestCommand ? full : commandOf(job, launch, poorPath);
  if (Buffer.byteLength(command) > longestCommand)
    throw cannot(job, `its command is longer than the ${longestCommand} bytes of cron`);
  return `${expression} ${command}`;
}

function cannot(job: ScheduledJob, why: string): DbBackupError {
  return new DbBackupError('UNSUPPORTED', `job ${job.name}, ${describeSchedule(job.schedule)}: ${why}`, {
    hint: 'systemd timers know timezones (--format systemd); `dbbackup daemon` can do all of it.',
  });
}

/** cron takes an unescaped `%` for a line end, within quotes too, and takes the backslash away before the shell reads. */
function commandOf(job: ScheduledJob, launch: Launch, path: string): string {
  const { program, stateFolder, environmentFile } = launch;
  const variables = { PATH: path, DBBACKUP_STATE_DIR: stateFolder, DBBACKUP_TRIGGER: 'cron' };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}`);
  const words = [...program, ...runArguments(job.name, launch)].map(quoted);
  const before = environmentFile === undefined ? '' : `set -a; . ${quoted(environmentFile)}; set +a; `;
  return `${before}${[...assignments, ...words].join(' ')}`.replaceAll('%', '\\%');
}

/** One word for sh. */
function quoted(word: string): string {
  if (/[\n\r\0]/.test(word)) throw new DbBackupError('UNSUPPORTED', `a path with a line end has no place in a crontab`);
  return /^[\w@+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function begin(configFile: string): string {
  return `# BEGIN dbbackup ${configFile}`;
}

function end(configFile: string): string {
  return `# END dbbackup ${configFile}`;
}

/** Our block of that config, with its last line end; undefined without one. Throws USAGE when its marks are damaged. */
export function blockIn(crontab: string, configFile: string): string | undefined {
  const span = spanOf(crontab, configFile);
  return span && crontab.slice(span.from, span.to);
}

/** The crontab with the block replaced, added at the end, or (undefined) taken out. */
export function replaceBlock(crontab: string, configFile: string, block: string | undefined): string {
  const span = spanOf(crontab, configFile);
  if (span !== undefined) return crontab.slice(0, span.from) + (block ?? '') + crontab.slice(span.to);
  if (block === undefined) return crontab;
  return `${crontab}${crontab === '' || crontab.endsWith('\n') ? '' : '\n'}${block}`;
}

function spanOf(crontab: string, configFile: string): { readonly from: number; readonly to: number } | undefined {
  const starts = linesAt(crontab, begin(configFile));
  const ends = linesAt(crontab, end(configFile));
  const [from] = starts;
  const [last] = ends;
  if (from === undefined && last === undefined) return undefined;
  if (from === undefined || last === undefined || starts.length + ends.length > 2 || last < from) {
    throw new DbBackupError('USAGE', `the crontab has damaged marks of dbbackup for ${configFile}`, {
      hint: `Correct it with crontab -e: there must be one line "${begin(configFile)}" and, below, one "${end(configFile)}", or neither.`,
    });
  }
  const lineEnd = crontab.indexOf('\n', last);
  return { from, to: lineEnd < 0 ? crontab.length : lineEnd + 1 };
}

/** Where the lines begin that are this text and nothing else. */
function linesAt(crontab: string, line: string): number[] {
  const found: number[] = [];
  let at = 0;
  for (const each of crontab.split('\n')) {
    if (each === line) found.push(at);
    at += each.length + 1;
  }
  return found;
}

/** What a block starts: for whoever asks whether it still is what the config says. */
export function crontabSchedules(
  block: string,
): readonly { readonly expression: string; readonly program: string; readonly job: string }[] {
  const line =
    /^(\S+ \S+ \S+ \S+ \S+) .*DBBACKUP_TRIGGER=cron ('(?:[^']|'\\'')*'|\S+) .* run (\S+) --quiet --config /gm;
  return [...block.matchAll(line)].map(([, expression = '', program = '', job = '']) => {
    const plain = program.startsWith("'") ? program.slice(1, -1).replaceAll("'\\''", "'") : program;
    return { expression, job, program: plain.replaceAll('\\%', '%') };
  });
}
