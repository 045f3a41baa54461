/** Tries an adapter out while its answers are fresh, and lets them be corrected until it works or its owner goes on. */
import { rmdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import { type Finding, failure, ok, warn } from '../../finding.ts';
import { checkDestination } from '../../operation/check/check-destination.ts';
import { databasesOf, inspectSource } from '../../operation/setup/ask-source.ts';
import { formatBytes } from '../format.ts';
import { askOption } from './ask-option.ts';
import { askOptions } from './ask-options.ts';
import { askRefused } from './ask-refused.ts';
import { type AdapterDraft, definitionOf, flagOf, isAnswered } from './draft.ts';
import type { Wizard } from './wizard.ts';

export interface Trial {
  readonly findings: readonly Finding[];
  /** What went wrong; undefined where it works. */
  readonly error?: unknown;
  /** A name for what is there. */
  readonly name?: string;
}

/** Returns the last trial: a failed one where its owner chose to go on all the same. */
export async function tryUntilItWorks(draft: AdapterDraft, wizard: Wizard): Promise<Trial> {
  const { interview, output } = wizard;
  for (;;) {
    output.say(output.color.dim(`  trying ${draft.section === 'sources' ? 'to read it' : 'to store there'} …`));
    const trial = await tryOut(draft, wizard);
    wizard.app.signal.throwIfAborted();
    if (trial.error !== undefined && (await askRefused(draft, trial.error, wizard))) continue;
    show(trial.findings, wizard);
    if (trial.error === undefined) return trial;
    if (!interview.onTerminal) throw trial.error;
    if (!(await correct(draft, wizard))) return trial;
  }
}

export function tryOut(draft: AdapterDraft, wizard: Wizard): Promise<Trial> {
  return draft.section === 'sources' ? trySource(draft, wizard) : tryDestination(draft, wizard);
}

async function trySource(draft: AdapterDraft, { runtime }: Wizard): Promise<Trial> {
  try {
    if (draft.bundle) return await tryServer(draft, runtime);
    const { label, inspection } = await inspectSource(definitionOf(draft), runtime);
    const { serverVersion, tool, estimatedBytes, warnings, databases } = inspection;
    const size = estimatedBytes === undefined ? '' : `, about ${formatBytes(estimatedBytes)}`;
    const found = ok(
      `${label} can be read${serverVersion ? ` (version ${serverVersion})` : ''}${size}; ${tool} is there`,
    );
    return {
      findings: [found, ...warnings.map((text) => warn(text, '`dbbackup check` tells more.'))],
      name: databases[0],
    };
  } catch (error) {
    return { findings: [failure(error)], error };
  }
}

/** All its databases in one backup: none of them is named. */
async function tryServer(draft: AdapterDraft, runtime: Wizard['runtime']): Promise<Trial> {
  const names = (await databasesOf(definitionOf(draft), runtime)) ?? [];
  return { findings: [ok(`${names.length} databases can be read: ${names.join(', ')}`)], name: draft.type };
}

async function tryDestination(draft: AdapterDraft, { runtime, folders }: Wizard): Promise<Trial> {
  const findings: Finding[] = [];
  const absent = await absentFolders(draft, folders);
  try {
    for await (const finding of checkDestination(definitionOf(draft), runtime)) findings.push(finding);
  } catch (error) {
    return { findings: [failure(error)], error };
  } finally {
    // Who leaves the wizard leaves nothing behind. What is not empty stays.
    for (const folder of absent) await rmdir(folder).catch(() => undefined);
  }
  const failed = findings.find(({ severity }) => severity === 'fail');
  if (failed === undefined) return { findings };
  return { findings, error: new DbBackupError('DESTINATION_FAILED', failed.what, { hint: failed.wayOut }) };
}

/** Folders that a trial may make, deepest first. */
async function absentFolders({ setup, options }: AdapterDraft, folders: Wizard['folders']): Promise<readonly string[]> {
  const absent: string[] = [];
  for (const { option, kind } of setup.questions) {
    const given = options[option];
    if (kind !== 'path' || typeof given !== 'string' || given.includes('${')) continue;
    const start = resolve(folders.config, given.replace(/^~(?=\/|$)/, homedir()));
    for (let each = start; dirname(each) !== each; each = dirname(each)) {
      if (await stat(each).catch(() => undefined)) break;
      absent.push(each);
    }
  }
  return absent;
}

/** False: go on all the same. */
async function correct(draft: AdapterDraft, wizard: Wizard): Promise<boolean> {
  const { interview } = wizard;
  const what = await interview.pick('What now?', [
    { value: 'correct', word: 'correct', name: 'Correct the answers' },
    { value: 'again', word: 'again', name: 'Try again' },
    { value: 'on', word: 'on', name: 'Go on all the same: it will work later' },
  ]);
  if (what !== 'correct') return what === 'again';
  interview.forget(draft.setup.questions.map((question) => flagOf(draft.section, question)));
  await askOptions(draft, wizard);
  for (const question of draft.setup.questions) {
    if (question.onRefusal !== undefined && isAnswered(draft, question.option))
      await askOption(draft, question, wizard);
  }
  return true;
}

/** Remarks that change nothing are for the doctor. */
function show(findings: readonly Finding[], { output }: Wizard): void {
  const { color } = output;
  const marks = { ok: color.green('✓'), info: '', warn: color.yellow('!'), fail: color.red('✗') };
  // What else goes wrong after a failure is that failure once more.
  const failed = findings.filter(({ severity }) => severity === 'fail');
  for (const { severity, what, wayOut } of failed.length > 0 ? failed : findings) {
    if (severity === 'info' || (severity === 'ok' && findings.length > 1 && !isTelling(what))) continue;
    output.say(`  ${marks[severity]} ${what}`);
    if (severity !== 'ok' && wayOut) output.say(`    ${color.cyan('way out')}  ${wayOut}`);
  }
}

/** Of a destination that works, one line is enough. */
function isTelling(what: string): boolean {
  return /stores and gives back|can be read/.test(what);
}
