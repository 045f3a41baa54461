/** An adapter as the answers have it so far. */
import type { AdapterDefinition } from '../../config/config.ts';
import type { Question, Setup } from '../../setup.ts';

export type Section = 'sources' | 'destinations';

export interface AdapterDraft {
  readonly section: Section;
  readonly type: string;
  readonly setup: Setup;
  /** As they will stand in the file; secrets that were typed are not among them. */
  readonly options: Record<string, unknown>;
  /** Typed, by option: they lie nowhere yet. */
  readonly secrets: Record<string, string>;
  /** All databases of the server, in one backup. */
  bundle?: boolean;
}

/** What can be tried out, typed secrets in their places. */
export function definitionOf({ section, type, options, secrets }: AdapterDraft): AdapterDefinition {
  const literal = Object.entries(secrets).map(([option, value]) => [option, asLiteral(value)]);
  return { name: section.slice(0, -1), type, options: { ...options, ...Object.fromEntries(literal) } };
}

/** A text that no reference is looked for in. */
export function asLiteral(text: string): string {
  return text.replaceAll('${', () => '$${');
}

/** `--host`; of destinations `--destination-host`. */
export function flagOf(section: Section, { option }: Pick<Question, 'option'>): string {
  const flag = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return section === 'sources' ? flag : `destination-${flag}`;
}

export function isAnswered({ options, secrets }: AdapterDraft, option: string): boolean {
  return options[option] !== undefined || secrets[option] !== undefined;
}

export function applies(draft: AdapterDraft, question: Question): boolean {
  if (question.with !== undefined && !isAnswered(draft, question.with)) return false;
  return !question.without?.some((option) => isAnswered(draft, option));
}
