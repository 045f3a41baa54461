import type { Command } from 'commander';
import { DbBackupError, exitCodes } from '../../errors.ts';
import type { Finding, Severity } from '../../finding.ts';
import type { Choice, Subject, SubjectKind } from '../../operation/check/check.ts';
import type { Runtime } from '../../operation/runtime.ts';
import { type CommandContext, collect, newCommand, runAction } from '../command.ts';
import type { Output } from '../output.ts';

interface CheckFlags {
  readonly all?: boolean;
  readonly source?: readonly string[];
  readonly destination?: readonly string[];
}

/** What a failure of each kind of subject would be in a run. */
const codes: Readonly<Record<SubjectKind, number>> = {
  machine: exitCodes.UNEXPECTED,
  source: exitCodes.SOURCE_FAILED,
  destination: exitCodes.DESTINATION_FAILED,
  encryption: exitCodes.CONFIG_INVALID,
  notification: exitCodes.CONFIG_INVALID,
  job: exitCodes.CONFIG_INVALID,
};

export function checkCommand(context: CommandContext): Command {
  return newCommand('check')
    .description('look at everything a run needs, and say what is wrong and the way out')
    .argument('[job...]', 'only these jobs and what they use')
    .option('--all', 'everything in the config, also what no job uses (without names, too)')
    .option('--source <name>', 'only this source (repeatable)', collect)
    .option('--destination <name>', 'only this destination (repeatable)', collect)
    .addHelpText('after', examples)
    .action(
      runAction<CheckFlags>(context, async ({ args, options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { check } = await import('../../operation/check/check.ts');
        const runtime = await openRuntime(context.app, options, output, { config: 'required', state: false });
        const choice = await choose(args, options, runtime);
        const print = printer(output);
        const findings: (Finding & { readonly subject: Subject })[] = [];
        for await (const { subject, finding } of check(choice, runtime)) {
          findings.push({ subject, ...finding });
          print(subject, finding);
        }
        const count = (severity: Severity) => findings.filter((each) => each.severity === severity).length;
        const counts = { ok: count('ok'), info: count('info'), warn: count('warn'), fail: count('fail') };
        output.result({ findings, counts }, () => `\n${summary(counts)}`);
        return exitCodeFor(findings);
      }),
    );
}

const examples = `
Writes one small object to each destination and removes it again; changes nothing else.

Examples:
  $ dbbackup check
  $ dbbackup check example
  $ dbbackup check --destination disk --json

Exit codes: 0 all is well, 8 warnings only, 3 sources failed, 4 destinations failed, 2 keys or settings are wrong,
7 failures of several kinds.`;

async function choose(names: readonly string[], flags: CheckFlags, runtime: Runtime): Promise<Choice> {
  const { chooseJobs } = await import('../../operation/backup/run-jobs.ts');
  const { chosen, chosenSources } = await import('../../operation/storage/list.ts');
  const { source = [], destination = [] } = flags;
  const named = names.length + source.length + destination.length > 0;
  if (flags.all && named) throw new DbBackupError('USAGE', 'name what to check or say --all, not both');
  return {
    all: !named,
    jobs: names.length > 0 ? chooseJobs(names, false, runtime) : [],
    sources: source.length > 0 ? chosenSources(source, runtime) : [],
    destinations: destination.length > 0 ? chosen(destination, runtime) : [],
  };
}

/** Each subject once, its findings below it, as they come. */
function printer(output: Output) {
  const { color } = output;
  const marks = {
    ok: color.green('ok  '),
    info: color.dim('info'),
    warn: color.yellow('warn'),
    fail: color.red('fail'),
  };
  let last: Subject | undefined;
  return (subject: Subject, { severity, what, wayOut }: Finding) => {
    if (output.json) return;
    const trouble = severity === 'warn' || severity === 'fail';
    if (output.quiet && severity !== 'fail') return;
    const lines = subject === last ? [] : [`${subject.kind} ${subject.name}`];
    last = subject;
    lines.push(`  ${marks[severity]}  ${what}`);
    if (trouble && wayOut) lines.push(`        ${color.cyan('way out')}  ${wayOut}`);
    output.print(lines.join('\n'));
  };
}

function summary(counts: Readonly<Record<Severity, number>>): string {
  return Object.entries(counts)
    .map(([severity, number]) => `${number} ${severity}`)
    .join(', ');
}

function exitCodeFor(findings: readonly { readonly subject: Subject; readonly severity: Severity }[]): number {
  const failed = findings.filter(({ severity }) => severity === 'fail').map(({ subject }) => codes[subject.kind]);
  const [first, ...others] = new Set(failed);
  if (first !== undefined) return others.length > 0 ? exitCodes.PARTIAL : first;
  return findings.some(({ severity }) => severity === 'warn') ? exitCodes.WARNING : 0;
}
