/** Asks an adapter's own questions. */
import type { Question } from '../../setup.ts';
import { askDatabase } from './ask-database.ts';
import { askOption } from './ask-option.ts';
import { type AdapterDraft, applies, flagOf } from './draft.ts';
import type { Wizard } from './wizard.ts';

/** `open`: the options to ask for; undefined = all. Flags are heeded in any case. */
export async function askOptions(draft: AdapterDraft, wizard: Wizard, open?: readonly string[]): Promise<void> {
  for (const question of draft.setup.questions) {
    const isOpen = question.onRefusal === undefined && (open?.includes(question.option) ?? true);
    if (!applies(draft, question) || !(isOpen || isGiven(draft, question, wizard))) continue;
    if (question.kind === 'database') await askDatabase(draft, question, wizard);
    else await askOption(draft, question, wizard);
  }
}

/** By a flag: of a secret, by one that says where it lies. */
function isGiven({ section }: AdapterDraft, question: Question, { interview }: Wizard): boolean {
  const flag = flagOf(section, question);
  const flags = question.kind === 'secret' ? [`${flag}-env`, `${flag}-file`] : [flag];
  return flags.some((each) => interview.flag(each) !== undefined);
}
