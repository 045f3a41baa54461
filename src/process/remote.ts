/**
 * Programs that run elsewhere: behind `docker exec -i db`, `kubectl exec -i pod --`, `ssh host`. They see neither our
 * environment nor our files, and ssh joins its arguments into a line for a shell. So the other side gets one constant
 * script as its argument; what is to be run, with its environment, comes as the first line of its input.
 * Guarantees: no secret on a command line of either side; arguments arrive as they are, whatever they hold; a program
 * that writes is ended when its input closes, which it does when we die. Source: POSIX.1-2017, Shell Command Language.
 */
import { DbBackupError } from '../errors.ts';
import type { Prefix, ProgramSpec } from './process.ts';

/** `sh -c` of this, on the other side. `read` takes no byte beyond its line; what follows is the program's own input. */
const script =
  '[ -t 0 ]&&{ echo dbbackup:terminal>&2;exit 125;};IFS= read -r e||{ echo dbbackup:no-input>&2;exit 125;};eval "$e"';

/** How the program's processes are known on the other side. */
const runVariable = 'DBBACKUP_RUN';
const endingMs = 5_000;

/** What is started here in place of a program that runs elsewhere. */
export interface RemoteStart {
  readonly command: string;
  readonly args: readonly string[];
  /** Goes into stdin before anything else. */
  readonly firstLine: Buffer;
}

/** `run`: a name that no other run has. */
export function remoteStart(spec: ProgramSpec, prefix: Prefix, reads: boolean, run: string): RemoteStart {
  const [command = '', ...args] = prefix.words;
  let words = ['sh', '-c', script];
  for (let shell = 0; shell < prefix.shells; shell += 1) words = words.map(quote);
  const line = [...environment(spec, run), ...program(spec), reads ? 'exec "$@"' : watched(spec)].join(';');
  return { command, args: [...args, ...words], firstLine: Buffer.from(`${line}\n`) };
}

/** Kills what is left of a run. Linux shows whose environment is whose; elsewhere a program ends when its pipes close. */
export function endingOf(run: string, prefix: Prefix): ProgramSpec {
  return { command: 'sh', args: ['-c', killAll('$1'), 'sh', run], prefix, totalTimeoutMs: endingMs };
}

function killAll(run: string): string {
  return `for f in $(grep -ls "${runVariable}=${run}" /proc/[0-9]*/environ);do f=\${f#/proc/};kill -KILL "\${f%/*}";done`;
}

/** POSIX quoting; `$n` is a line end, because all of it must stay one line. */
function inLine(text: string): string {
  return quote(text).replaceAll('\n', `'"$n"'`);
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function environment({ env = {} }: ProgramSpec, run: string): string[] {
  const settings = Object.entries({ ...env, [runVariable]: run }).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new DbBackupError(
        'CONFIG_INVALID',
        `${name} cannot be the name of a variable on the other side of a prefix`,
      );
    }
    return value === undefined ? `unset ${name}` : `export ${name}=${inLine(value)}`;
  });
  return [`n=$(printf '\\nx');n=\${n%x}`, ...settings];
}

/** Leaves the program and its arguments in `$@`. */
function program({ command, args, largeBuffers }: ProgramSpec): string[] {
  const has = (name: string) => `command -v ${name} >/dev/null 2>&1`;
  return [
    `set -- ${[command, ...args].map(inLine).join(' ')}`,
    `${has('"$1"')}||{ printf '%s: not found\\n' "$1">&2;exit 127;}`,
    // As in stdio-buffer.ts.
    ...(largeBuffers ? [`${has('stdbuf')}&&set -- stdbuf -i64K -o64K "$@"`] : []),
  ];
}

/**
 * Its input is known beforehand, so ours is free to tell that we are gone: then it is ended, and what it has started. It
 * stays in the group it is born into, for a prefix that leads nowhere far (sudo, env) has it in ours.
 */
function watched({ stdinPrefix }: ProgramSpec): string {
  const input = stdinPrefix === undefined ? '' : `printf %s ${inLine(stdinPrefix.toString())}|`;
  const end = `trap '' TERM;kill -TERM $p;sleep 1;${killAll(`$${runVariable}`)};kill -KILL $p`;
  const watch = `{ while IFS= read -r x<&3;do :;done;${end};} >/dev/null 2>&1 &`;
  return `exec 3<&0;${input}"$@"${input === '' ? ' </dev/null' : ''} 3<&- & p=$!;${watch} w=$!;exec 3<&-;wait $p;c=$?;kill $w 2>/dev/null;exit $c`;
}

/** What the script says before anything has been started. */
export function explainRemote(prefix: Prefix, stderrTail: string): string | undefined {
  const way = prefix.words.join(' ');
  if (stderrTail.includes('dbbackup:no-input'))
    return `"${way}" hands on no input: docker exec and kubectl exec need -i.`;
  if (stderrTail.includes('dbbackup:terminal')) return `"${way}" makes a terminal: leave -t out.`;
  return undefined;
}
