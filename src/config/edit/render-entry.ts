import { stringify } from 'yaml';
import { contentOf, type Entry, type Field } from './entry.ts';

/** As block YAML, comments and all; every line begins with `indent`, fields with one `step` more. Ends with a line end. */
export function renderEntry(entry: Entry, indent: string, step: string): string {
  const inner = indent + step;
  const fields = entry.fields.flatMap((field) => [
    ...(field.above === undefined ? [] : [`${inner}# ${field.above}`]),
    inner + renderField(field),
  ]);
  const notes = entry.notes.map((line) => `${inner}# ${line}`);
  return `${[`${indent}${scalar(entry.name)}:`, ...fields, ...notes].join('\n')}\n`;
}

function renderField({ key, value, comment }: Field): string {
  return `${scalar(key)}: ${scalar(value)}${comment === undefined ? '' : ` # ${comment}`}`;
}

/** In one line, for a `{ … }`: as JSON where the file is JSON. */
export function renderFlowEntry(entry: Entry, asJson: boolean): string {
  if (asJson) return `${JSON.stringify(entry.name)}: ${JSON.stringify(contentOf(entry))}`;
  return `${scalar(entry.name)}: ${scalar(contentOf(entry))}`;
}

/** Any value in one line: `{ daily: 7 }`, `[disk, nas]`; texts with line ends as JSON, which is YAML too. */
function scalar(value: unknown): string {
  const json = JSON.stringify(value);
  if (/\\[nr]/.test(json)) return json;
  const flowCollectionPadding = !Array.isArray(value);
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding }).trimEnd();
}
