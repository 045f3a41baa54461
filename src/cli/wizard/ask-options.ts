/** Asks an adapter's own questions. */
import type { Question } from '../../setup.ts';
import { askDatabase } from './ask-database.ts';
import { askOption } from './ask-option.ts';
import { type AdapterDraft, applies, flagOf } from './draft.ts';
import type { Wizard } from './wizard.ts';

/** `open`: the options to ask for; undefined = all. Flags are heeded in any case. */
export async function askOptions(draft: AdapterDraft, wizard: Wizard, open?: readonly string[]): Promise<void> {
  for (const question of draft.setup.questions) {
    const isWanted = question.onRefusal === undefined && (open?.includes(question.option) ?? true);
    const isOpen = isWanted && !isReplaced(draft, question, wizard);
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

/** Who says `--host` does not want to be asked for a URL. */
function isReplaced(draft: AdapterDraft, { option }: Question, wizard: Wizard): boolean {
  return draft.setup.questions.some((each) => each.without?.includes(option) && isGiven(draft, each, wizard));
}
