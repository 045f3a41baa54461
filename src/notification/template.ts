/** Bodies of webhooks in the user's own words: `{{job}} ended as {{status}}`. */
import type { Message } from './notification.ts';

const values = {
  event: ({ event }: Message) => event,
  job: ({ job }: Message) => job,
  status: ({ status }: Message) => status,
  executionId: ({ executionId }: Message) => executionId,
  host: ({ host }: Message) => host,
  at: ({ at }: Message) => at.toISOString(),
  title: ({ title }: Message) => title,
  text: ({ text }: Message) => text,
  durationMs: ({ durationMs }: Message) => durationMs,
  rawBytes: ({ rawBytes }: Message) => rawBytes,
  storedBytes: ({ storedBytes }: Message) => storedBytes,
  artifact: ({ artifact }: Message) => artifact,
  errorCode: ({ error }: Message) => error?.code,
  error: ({ error }: Message) => error?.message,
  hint: ({ error }: Message) => error?.hint,
  warnings: ({ warnings }: Message) => warnings.join('\n'),
  log: ({ log }: Message) => log.join('\n'),
} as const;

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;

export const placeholders = Object.keys(values);

/** Placeholders of the template that do not exist. */
export function unknownPlaceholders(template: string): readonly string[] {
  return [...template.matchAll(placeholder)]
    .map(([, name = '']) => name)
    .filter((name) => !Object.hasOwn(values, name));
}

/** Values are escaped for the content type: inside a JSON string, a form or XML; plain elsewhere. Missing ones are empty. */
export function renderTemplate(template: string, message: Message, contentType: string): string {
  const escapeValue = escapeFor(contentType);
  return template.replace(placeholder, (_, name: keyof typeof values) =>
    escapeValue(String(values[name](message) ?? '')),
  );
}

function escapeFor(contentType: string): (value: string) => string {
  if (/json/i.test(contentType)) return (value) => JSON.stringify(value).slice(1, -1);
  if (/x-www-form-urlencoded/i.test(contentType)) return encodeURIComponent;
  if (/xml|html/i.test(contentType)) return (value) => value.replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`);
  return (value) => value;
}
