/**
 * The wizard behind `init` and `job add`: asks, tries out, shows, writes.
 * Guarantees: nothing is written before the end, and then all of it or nothing; no secret stands in the config unless its
 * owner chose so; what is written has passed the config's own check.
 */
import { dirname } from 'node:path';
import { checkConfig } from '../../config/check.ts';
import type { Config } from '../../config/config.ts';
import { parseConfigDocument } from '../../config/document.ts';
import { addEntries, asText } from '../../config/edit/add-entries.ts';
import { masked } from '../../config/edit/entry.ts';
import { formatPath } from '../../config/problem.ts';
import { DbBackupError } from '../../errors.ts';
import type { App, GlobalOptions } from '../app.ts';
import { openRuntime } from '../open-runtime.ts';
import type { Output } from '../output.ts';
import { askDestinations } from './ask-destination.ts';
import { askJob } from './ask-job.ts';
import { askSource } from './ask-source.ts';
import { fileComment, sectionComments } from './compose.ts';
import { type Flags, Interview } from './interview.ts';
import { type Answers, type Planned, planEntries } from './plan-entries.ts';
import { tryOut } from './try-out.ts';
import type { Wizard } from './wizard.ts';
import { writePlan } from './write-plan.ts';

/** Where it goes: a new file, or one that was read and found sound. */
export interface Target {
  /** Absolute. */
  readonly file: string;
  readonly existing?: { readonly text: string; readonly config: Config };
}

/** Undefined: a person looked at it and did not want it written. */
export async function setUp(
  target: Target,
  flags: Flags & GlobalOptions,
  app: App,
  output: Output,
): Promise<{ readonly planned: Planned; readonly wizard: Wizard } | undefined> {
  const wizard = await openWizard(target, flags, app, output);
  const answers = await ask(target.existing?.config, wizard);
  if (!wizard.interview.onTerminal && wizard.tries) await assertWorking(answers, wizard);
  const planned = await planEntries(answers, target.existing?.config, wizard);
  wizard.interview.settle();
  const after = addEntries(target.existing?.text ?? fileComment, planned.entries, sectionComments);
  assertSound(after, target.file, wizard);
  show(target, planned, output);
  if (!(await wizard.interview.confirm(`Write ${target.existing ? 'this into ' : ''}${target.file}?`)))
    return undefined;
  await writePlan({ ...planned, file: target.file, before: target.existing?.text, after });
  return { planned, wizard };
}

async function openWizard(target: Target, flags: Flags & GlobalOptions, app: App, output: Output): Promise<Wizard> {
  const folder = dirname(target.file);
  const config = target.existing?.config ?? emptyConfig(target.file, folder);
  return {
    app,
    output,
    interview: new Interview(app, flags),
    catalog: await app.loadCatalog(),
    folders: { working: app.workingFolder, config: folder },
    runtime: await openRuntime(app, flags, output, { config, state: false }),
    tries: flags['test'] !== false,
  };
}

function emptyConfig(file: string, folder: string): Config {
  const none = new Map<string, never>();
  const sections = { sources: none, destinations: none, encryption: none, notifications: none, jobs: none };
  return { file, folder, ...sections, maxConcurrentJobs: 1, secretFiles: [] };
}

async function ask(config: Config | undefined, wizard: Wizard): Promise<Answers> {
  const source = await askSource([...(config?.sources.values() ?? [])], wizard);
  const destinations = await askDestinations([...(config?.destinations.values() ?? [])], wizard);
  const job = await askJob(source?.name ?? 'backup', config, wizard);
  wizard.interview.settle();
  if (source && destinations) return { source, destinations, job };
  throw new DbBackupError('USAGE', 'no source or no destination was chosen');
}

/** Off a terminal nobody can correct an answer: the first that does not work ends it. */
async function assertWorking({ source, destinations }: Answers, wizard: Wizard): Promise<void> {
  for (const draft of [...(source.draft ? [source.draft] : []), ...destinations.drafts]) {
    const { error } = await tryOut(draft, wizard);
    wizard.app.signal.throwIfAborted();
    if (error !== undefined) throw error;
  }
}

/** By the check that every command makes. Answers were judged one by one; this is about the whole. */
function assertSound(text: string, file: string, { catalog }: Wizard): void {
  const { findings } = checkConfig(parseConfigDocument(text).raw, file, dirname(file), catalog);
  if (findings.length === 0) return;
  const lines = findings.map(({ path, message }) => `  ${formatPath(path)}: ${message}`);
  throw new DbBackupError('CONFIG_INVALID', ['these answers do not go together:', ...lines].join('\n'), {
    hint: 'Nothing was written.',
  });
}

function show({ existing }: Target, { entries, secrets, key }: Planned, output: Output): void {
  const shown = entries.map(masked);
  const text = existing === undefined ? addEntries(fileComment, shown, sectionComments) : shown.map(asText).join('\n');
  output.say(`\n${output.color.dim(text.trimEnd().replace(/^/gm, '  │ '))}\n`);
  for (const { path } of secrets)
    output.say(`  and the secret in ${path}, for you alone: keep it out of version control`);
  if (key !== undefined) output.say(`  and the secret key in ${key.path}, for you alone`);
}
