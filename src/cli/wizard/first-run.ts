/** After the config is written: the first backup, and how to bring it back. */
import type { GlobalOptions } from '../app.ts';
import { run } from '../command/run.ts';
import { nextSteps } from './next-steps.ts';
import type { Planned } from './plan-entries.ts';
import type { Target } from './set-up.ts';
import type { Wizard } from './wizard.ts';

/** Returns the exit code of the run, where there was one. */
export async function firstRun(
  { file }: Target,
  planned: Planned,
  options: GlobalOptions & { readonly run?: boolean },
  wizard: Wizard,
): Promise<number | undefined> {
  const { app, output, interview } = wizard;
  const { job, source, destinations, secrets, key, variables } = planned;
  const facts = { file, job, source, destinations, secretFiles: secrets.map(({ path }) => path), keyFile: key?.path };
  output.result({ type: 'config', ...facts }, () => `${output.color.green('✓')} ${file} is written`);
  warn(planned, wizard);
  if (!(options.run ?? (await interview.confirm(`Run ${job} now?`)))) {
    output.say(await nextSteps(file, planned, options, wizard, [`dbbackup run ${job}`]));
    return undefined;
  }
  const env = { ...app.env, ...variables };
  const { json, quiet, debug } = options;
  const code = await run([job], { json, quiet, debug, config: file, retention: true }, { ...app, env }, output);
  output.say(await nextSteps(file, planned, options, wizard, []));
  return code;
}

function warn({ key, variables }: Planned, { output }: Wizard): void {
  const { color } = output;
  if (key !== undefined) {
    output.say(
      `${color.yellow('!')} ${key.path} opens the backups, and nothing else does. Put it away: copy it to a safe place that is not\n` +
        '  this machine, try a restore with the copy, and then delete it here. Backups are made without it.',
    );
  }
  const names = Object.keys(variables);
  if (names.length > 0)
    output.say(`${color.yellow('!')} set ${names.join(', ')} wherever dbbackup runs; this run has what you typed`);
}
