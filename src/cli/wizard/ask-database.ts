/** Which database: chosen from those that the server has, where it can be asked. */
import { failure } from '../../finding.ts';
import { databasesOf } from '../../operation/setup/ask-source.ts';
import type { Question } from '../../setup.ts';
import { askOption } from './ask-option.ts';
import { askRefused } from './ask-refused.ts';
import { type AdapterDraft, definitionOf, flagOf } from './draft.ts';
import type { Choice } from './interview.ts';
import type { Wizard } from './wizard.ts';

/** Nobody chooses from a longer list. */
const most = 200;

export async function askDatabase(draft: AdapterDraft, question: Question, wizard: Wizard): Promise<void> {
  const { interview } = wizard;
  draft.bundle = false;
  const names = interview.onTerminal && interview.flag(flagOf(draft.section, question)) === undefined;
  const found = names ? await databases(draft, wizard) : [];
  if (found.length === 0 || found.length > most) return askOption(draft, question, wizard);
  const before = draft.options[question.option];
  delete draft.options[question.option];
  const one = (name: string): Choice<string | undefined> => ({ value: name, name, word: name });
  const several = { value: undefined, name: 'all of them, in one backup', word: '' };
  const choices = [...found.map(one), ...(found.length > 1 ? [several] : [])];
  const chosen = await interview.pick(`${question.message}?`, choices, String(before));
  if (chosen === undefined) draft.bundle = true;
  else draft.options[question.option] = chosen;
}

/** A refused login is asked for its password; whatever else fails is told, and the name is asked for. */
async function databases(draft: AdapterDraft, wizard: Wizard): Promise<readonly string[]> {
  const { output, runtime } = wizard;
  for (;;) {
    try {
      return (await databasesOf(definitionOf(draft), runtime)) ?? [];
    } catch (error) {
      runtime.signal.throwIfAborted();
      if (await askRefused(draft, error, wizard)) continue;
      output.say(`  ${output.color.yellow('!')} the server cannot be asked for its databases: ${failure(error).what}`);
      return [];
    }
  }
}
