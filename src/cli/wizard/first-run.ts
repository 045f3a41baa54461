/** After the config is written: the first backup, and how to bring it back. */
import { dirname, relative, resolve } from 'node:path';
import type { GlobalOptions } from '../app.ts';
import { run } from '../command/run.ts';
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
    output.say(nextSteps(file, planned, wizard, [`dbbackup run ${job}`]));
    return undefined;
  }
  const env = { ...app.env, ...variables };
  const { json, quiet, debug } = options;
  const code = await run([job], { json, quiet, debug, config: file, retention: true }, { ...app, env }, output);
  output.say(nextSteps(file, planned, wizard, []));
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

function nextSteps(file: string, planned: Planned, wizard: Wizard, before: readonly string[]): string {
  const { output, folders, catalog, runtime } = wizard;
  const { job, source, key, entries } = planned;
  const isFound = dirname(file) === folders.working && /^dbbackup\.ya?ml$/.test(relative(folders.working, file));
  const config = isFound ? '' : ` --config ${relative(folders.working, file) || file}`;
  const type = entries.find(({ section, name }) => section === 'sources' && name === source)?.fields[0]?.value;
  const known = type ?? runtime.config?.sources.get(source)?.type;
  const target =
    catalog.sources.find((each) => each.type === known)?.setup?.firstRestore(source) ?? '--output ./restored';
  const identity =
    key === undefined ? '' : ` --identity ${relative(folders.working, resolve(dirname(file), key.path))}`;
  const isScheduled = entries.some(({ fields }) => fields.some(({ key: field }) => field === 'schedule'));
  const install = isScheduled ? ['dbbackup schedule install'] : [];
  const restore = `dbbackup restore ${job}@latest ${target}${identity}`;
  const lines = [...before, restore, 'dbbackup check', ...install];
  return ['', 'What next:', ...lines.map((line) => `  ${output.color.cyan(line + config)}`)].join('\n');
}
