/**
 * Adds entries to the text of a config. Where they belong is found by the parsed document, and they are put into the text
 * itself, so that every byte that was there stays, comments and layout with it.
 * Guarantees: the new text holds the old content and the entries, and nothing else, or CONFIG_INVALID is thrown.
 */
import { isDeepStrictEqual } from 'node:util';
import { isMap, isNode, isScalar, type Node, parseDocument, type YAMLMap } from 'yaml';
import { DbBackupError } from '../../errors.ts';
import { parseConfigDocument } from '../document.ts';
import { isRecord, valueAt } from '../walk-strings.ts';
import { contentOf, type Entry, type SectionComments } from './entry.ts';
import { lastLineOf } from './last-line-of.ts';
import { renderEntry, renderFlowEntry } from './render-entry.ts';

const usualStep = '  ';

/** @throws USAGE where a name is taken, CONFIG_INVALID where the file's layout leaves no place. */
export function addEntries(text: string, entries: readonly Entry[], comments: SectionComments): string {
  const before = parseConfigDocument(text).raw ?? {};
  for (const { section, name } of entries) {
    if (valueAt(before, [section, name]) === undefined) continue;
    throw new DbBackupError('USAGE', `${section} already has "${name}"`, { hint: 'Choose another name.' });
  }
  const after = entries.reduce((sofar, entry) => addEntry(sofar, entry, comments), text);
  if (isDeepStrictEqual(parseConfigDocument(after).raw, expected(before, entries))) return after;
  throw noPlace(entries);
}

function addEntry(text: string, entry: Entry, comments: SectionComments): string {
  const root = parseDocument(text).contents;
  if (root === null) return appendSection(text, entry, comments);
  if (!isMap(root)) throw noPlace([entry]);
  const pair = root.items.find(({ key }) => String(key) === entry.section);
  if (root.flow && pair === undefined)
    return intoFlow(text, root, `${keyIn(text, entry.section)}: { ${flow(text, entry)} }`);
  if (pair === undefined) return appendSection(text, entry, comments);
  const section: unknown = pair.value;
  if (isMap(section) && section.flow) return intoFlow(text, section, flow(text, entry));
  if (isMap(section) && section.items.length > 0) return intoBlock(text, section, entry);
  if (isEmpty(section) && isNode(pair.key)) return belowKey(text, pair.key, entry);
  throw noPlace([entry]);
}

/** Below the section's last entry and the comments that are indented like it. */
function intoBlock(text: string, section: YAMLMap, entry: Entry): string {
  const starts = section.items.map(({ key }) => (key as { range?: readonly number[] }).range?.[0] ?? 0);
  const indent = ' '.repeat(columnOf(text, starts[0] ?? 0));
  const at = lastLineOf(text, section, indent.length);
  const gap = isSpaced(text, starts) ? '\n' : '';
  const head = text.slice(0, at);
  const broken = head.endsWith('\n') ? head : `${head}\n`;
  return `${broken}${gap}${renderEntry(entry, indent, indent || usualStep)}${text.slice(at)}`;
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

/** `jobs:` and nothing else. */
function isEmpty(section: unknown): boolean {
  return section === null || (isScalar(section) && section.value === null && !section.source);
}

function belowKey(text: string, key: Node, entry: Entry): string {
  const end = text.indexOf('\n', key.range?.[1]);
  const head = end === -1 ? `${text}\n` : text.slice(0, end + 1);
  return head + renderEntry(entry, usualStep, usualStep) + text.slice(head.length);
}

/** Entries with an empty line between them, as the last two have it. */
function isSpaced(text: string, starts: readonly number[]): boolean {
  const [from, to] = starts.slice(-2);
  return from !== undefined && to !== undefined && /\n[ \t]*\r?\n/.test(text.slice(from, to));
}

/** Before the closing brace; on a line of its own where the others have theirs. */
function intoFlow(text: string, map: YAMLMap, item: string): string {
  const [start, end] = map.range ?? [0, 0];
  const inside = text.slice(start + 1, end - 1);
  const kept = inside.replace(/,?\s*$/, '');
  const closing = text.slice(start + 1 + kept.length, end - 1).replace(',', '');
  const lead = /^\s*\n\s*/.exec(inside)?.[0] ?? ' ';
  const comma = map.items.length > 0 ? ',' : '';
  return `${text.slice(0, start + 1)}${kept}${comma}${lead}${item}${closing || ' '}${text.slice(end - 1)}`;
}

function flow(text: string, entry: Entry): string {
  return renderFlowEntry(entry, isJson(text));
}

function keyIn(text: string, key: string): string {
  return isJson(text) ? JSON.stringify(key) : key;
}

function isJson(text: string): boolean {
  try {
    return isRecord(JSON.parse(text));
  } catch {
    return false;
  }
}

function appendSection(text: string, entry: Entry, comments: SectionComments): string {
  const gap = text === '' || text.endsWith('\n\n') ? '' : text.endsWith('\n') ? '\n' : '\n\n';
  const above = comments[entry.section].split('\n').map((line) => `# ${line}\n`);
  return `${text}${gap}${above.join('')}${entry.section}:\n${renderEntry(entry, usualStep, usualStep)}`;
}

function expected(before: unknown, entries: readonly Entry[]): unknown {
  const whole: Record<string, unknown> = isRecord(before) ? { ...before } : {};
  for (const entry of entries) {
    const section = whole[entry.section];
    whole[entry.section] = { ...(isRecord(section) ? section : {}), [entry.name]: contentOf(entry) };
  }
  return whole;
}

function noPlace(entries: readonly Entry[]): DbBackupError {
  const sections = [...new Set(entries.map(({ section }) => section))].join(', ');
  return new DbBackupError(
    'CONFIG_INVALID',
    `the config is laid out in a way that leaves no safe place in ${sections}`,
    {
      hint: `Nothing was changed. Add this by hand:\n${entries.map(asText).join('')}`,
    },
  );
}

/** As it would stand in a file of its own. */
export function asText(entry: Entry): string {
  return `${entry.section}:\n${renderEntry(entry, usualStep, usualStep)}`;
}
