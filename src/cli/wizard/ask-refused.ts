import { explain } from '../../errors.ts';
import { askOption } from './ask-option.ts';
import { type AdapterDraft, applies, isAnswered } from './draft.ts';
import type { Wizard } from './wizard.ts';

/** A login without a password comes first, and only one that is refused is asked for it. True: try again. */
export async function askRefused(draft: AdapterDraft, error: unknown, wizard: Wizard): Promise<boolean> {
  if (!wizard.interview.onTerminal) return false;
  const text = explain(error);
  const question = draft.setup.questions.find(({ onRefusal }) => onRefusal?.test(text));
  if (question === undefined || isAnswered(draft, question.option) || !applies(draft, question)) return false;
  await askOption(draft, question, wizard);
  return isAnswered(draft, question.option);
}
