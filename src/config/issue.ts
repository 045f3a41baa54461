/** From zod's issues to problems: our words, one issue per unknown key, unions reduced to the branch that was meant. */
import { z } from 'zod';
import { nearest } from '../value/nearest.ts';
import { leadingWord } from './problem.ts';
import { isRecord, type Path, valueAt } from './walk-strings.ts';

type Issue = z.core.$ZodIssue;

/** A problem before it has a line. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly suggestion?: string;
}

export interface Checked<Output> {
  /** Undefined when there are issues. */
  readonly data: Output | undefined;
  readonly issues: readonly Issue[];
}

/** Parses with our words for the commonest issues; a schema's own messages come first. */
export function check<Output>(schema: z.ZodType<Output>, value: unknown): Checked<Output> {
  const result = schema.safeParse(value, { error: words, reportInput: true, jitless: true });
  return result.success
    ? { data: result.data, issues: [] }
    : { data: undefined, issues: result.error.issues.flatMap((issue) => unfold(issue, [])) };
}

/** `base`: path of the checked value in the file; `value`: the checked value itself. */
export function findings(schema: z.ZodType, value: unknown, issues: readonly Issue[], base: Path): readonly Finding[] {
  return issues.map((issue): Finding => {
    const written = valueAt(value, issue.path);
    const suggestion = typeof written === 'string' ? nearest(written, expectedValues(issue)) : undefined;
    const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    if (key === undefined) return { path: [...base, ...issue.path], message: issue.message, suggestion };
    return {
      path: [...base, ...issue.path, key],
      message: 'unknown key',
      suggestion: nearest(leadingWord(key), knownKeys(schema, issue.path)),
    };
  });
}

function expectedValues(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  const named: unknown = issue.code === 'custom' ? issue.params?.['expected'] : undefined;
  return Array.isArray(named) ? named.map(String) : [];
}

function words(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    const expected = nouns[issue.expected] ?? issue.expected;
    return issue.input === undefined ? `is missing (${expected})` : `must be ${expected}, not ${nounOf(issue.input)}`;
  }
  if (issue.code === 'invalid_value') {
    const values = `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    return issue.input === undefined ? `is missing (it ${values})` : values;
  }
  if (issue.code === 'invalid_union' && issue.note === 'No matching discriminator') {
    return `${String(issue.discriminator)} is missing or unknown`;
  }
  return undefined;
}

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function nounOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return nouns[typeof value] ?? typeof value;
}

/** Unions to their likeliest branch, several unknown keys to one issue each. Paths become absolute. */
function unfold(issue: Issue, base: Path): readonly Issue[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ ...issue, keys: [key], path }));
  if (issue.code === 'invalid_key') return [{ ...issue, path, message: issue.issues[0]?.message ?? issue.message }];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ ...issue, path }];
  const branches = issue.errors.filter((branch) => !branch.some(isOtherKind));
  const [meant] = branches.sort((a, b) => a.length - b.length);
  if (meant !== undefined) return meant.flatMap((inner) => unfold(inner, path));
  // Each branch would tell of its own kind of value.
  if (issue.errors.flat().every(isMissing)) return [{ ...issue, path, message: 'is missing' }];
  const all = issue.errors.flat().map((inner) => inner.message.replace(/^must be |, not .*$/g, ''));
  return [{ ...issue, path, message: `must be ${[...new Set(all)].join(' or ')}` }];
}

function isMissing(issue: Issue): boolean {
  return issue.code === 'invalid_union' ? issue.errors.flat().every(isMissing) : issue.input === undefined;
}

/** The value is not even of this branch's kind. */
function isOtherKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  return issue.code === 'invalid_type' || (issue.code === 'invalid_value' && typeof issue.input !== 'string');
}

/** Keys that the schema knows at `path`, whatever its shape, read from its JSON Schema. */
function knownKeys(schema: z.ZodType, path: Path): readonly string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  let at: unknown[] = branchesOf(root);
  for (const key of path) {
    at = at.flatMap((node) => {
      if (!isRecord(node)) return [];
      const next = typeof key === 'number' ? node['items'] : valueAt(node, ['properties', key]);
      return branchesOf(next ?? node['additionalProperties']);
    });
  }
  return at.flatMap((node) =>
    Object.keys((isRecord(node) && isRecord(node['properties']) && node['properties']) || {}),
  );
}

function branchesOf(node: unknown): unknown[] {
  if (!isRecord(node)) return [];
  const inner = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (Array.isArray(node[key]) ? node[key] : []));
  return [node, ...inner.flatMap(branchesOf)];
}
