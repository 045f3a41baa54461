/** Asks one question and files the answer, judged by the adapter's own schema as it is given. */
import { type AdapterSection, checkAdapter } from '../../config/check-adapter.ts';
import { messageOf } from '../../errors.ts';
import { registerSecret } from '../../redact.ts';
import type { Question } from '../../setup.ts';
import { answerOfValue, pathInConfig, splitPassword, unsplittable, valueOfAnswer } from './answer.ts';
import { type AdapterDraft, asLiteral, flagOf } from './draft.ts';
import type { Wizard } from './wizard.ts';

export async function askOption(draft: AdapterDraft, question: Question, wizard: Wizard): Promise<void> {
  if (question.kind === 'secret') return askSecret(draft, question, wizard);
  const { option, kind, message, required } = question;
  const file = (text: string) => store(draft, option, valueOfAnswer(kind, text, wizard.folders));
  const answer = await wizard.interview.text({
    flag: flagOf(draft.section, question),
    message: `${message}:`,
    required,
    offered: answerOfValue(draft.options[option], kind) ?? question.offered,
    check: async (text) => {
      try {
        const unclear = kind === 'url' ? unsplittable(text) : undefined;
        if (unclear !== undefined) return unclear;
        return problemOf(draft, option, valueOfAnswer(kind, text, wizard.folders), wizard);
      } catch (error) {
        return messageOf(error);
      }
    },
  });
  if (answer === '') delete draft.options[option];
  else if (kind === 'url') storeUrl(draft, option, answer);
  else file(answer);
}

async function askSecret(draft: AdapterDraft, question: Question, { interview, folders }: Wizard): Promise<void> {
  const flag = flagOf(draft.section, question);
  const answer = await interview.secret({ ...question, flag, message: `${question.message}:` });
  delete draft.options[question.option];
  delete draft.secrets[question.option];
  if (answer === undefined) return;
  if ('typed' in answer) draft.secrets[question.option] = answer.typed;
  else
    draft.options[question.option] = answer.reference.replace(/^(\$\{file:)(.*)\}$/, (_, head, path) => {
      return `${head}${pathInConfig(path, folders)}}`;
    });
}

function store(draft: AdapterDraft, option: string, value: unknown): void {
  draft.options[option] = value;
}

/** The password of a URL is kept where secrets are kept. */
function storeUrl(draft: AdapterDraft, option: string, url: string): void {
  const parts = splitPassword(url);
  draft.options[option] = parts?.url ?? url;
  if (parts === undefined || parts.password === '') return;
  registerSecret(parts.password);
  delete draft.options['password'];
  draft.secrets['password'] = parts.password;
}

/** What the adapter's schema says of this one option. */
function problemOf(draft: AdapterDraft, option: string, value: unknown, { catalog }: Wizard): string | undefined {
  const { section, type, options, secrets } = draft;
  const typed = Object.entries(secrets).map(([name, secret]) => [name, asLiteral(secret)]);
  const whole = { type, ...options, ...Object.fromEntries(typed), [option]: value };
  const { findings } = checkAdapter(section satisfies AdapterSection, 'new', whole, catalog[section], 'answers');
  return findings.find(({ path }) => path[2] === option)?.message;
}
