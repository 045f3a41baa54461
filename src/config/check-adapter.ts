import type { ZodType } from 'zod';
import { DbBackupError, messageOf } from '../errors.ts';
import { nearest } from '../value/nearest.ts';
import type { AdapterDefinition } from './config.ts';
import { check, type Finding, findings } from './issue.ts';
import { limitSchema } from './limit-schema.ts';
import { formatPath } from './problem.ts';
import { hasReference, parseTemplate } from './template.ts';
import { isRecord, type Path, valueAt, walkStrings } from './walk-strings.ts';

export type AdapterSection = 'sources' | 'destinations' | 'encryption' | 'notifications';
interface AdapterType {
  readonly type: string;
  readonly options: ZodType;
  readonly written?: ZodType;
}
export interface CheckedAdapter {
  readonly definition: AdapterDefinition;
  /** Parsed options; undefined while something in them is wrong or has yet to be looked up. */
  readonly options: unknown;
  readonly findings: readonly Finding[];
}

/** One entry of `sources`, `destinations`, `encryption` or `notifications`, by its adapter's own schema; references are not judged. */
export function checkAdapter(
  section: AdapterSection,
  name: string,
  value: unknown,
  types: readonly AdapterType[],
  file: string,
): CheckedAdapter {
  const base = [section, name];
  const { type, ...rest } = isRecord(value) ? value : {};
  const { options, limit, findings: ofLimit } = takeLimit(section, rest, base);
  const place = `${file}: ${formatPath(base)}`;
  const definition: AdapterDefinition = { name, type: String(type), options, limit, place };
  const fail = (finding: Finding) => ({ definition, options: undefined, findings: [finding] });

  if (!isRecord(value)) return fail({ path: base, message: 'must be a map with a type and its options' });
  const known = types.map((each) => each.type);
  const adapter = types.find((each) => each.type === type);
  if (adapter === undefined) {
    const message = `${type === undefined ? 'is missing' : 'is no type that exists here'} (there is ${known.join(', ')})`;
    return fail({ path: [...base, 'type'], message, suggestion: nearest(String(type ?? ''), known) });
  }
  const templates = templateFindings(options, base);
  const { data, issues } = check(adapter.written ?? adapter.options, options);
  const sure = issues.filter((issue) => !isReference(valueAlong(options, issue.path)));
  return {
    definition,
    options: data,
    findings: [...ofLimit, ...templates, ...findings(adapter.options, options, sure, base)],
  };
}

/** What every destination may say, whatever its kind: the adapters do not know of it. */
function takeLimit(
  section: AdapterSection,
  { limit: written, ...options }: Record<string, unknown>,
  base: Path,
): Pick<AdapterDefinition, 'options' | 'limit'> & { readonly findings: readonly Finding[] } {
  if (section !== 'destinations')
    return { options: written === undefined ? options : { ...options, limit: written }, findings: [] };
  if (written === undefined) return { options, findings: [] };
  const { data, issues } = check(limitSchema, written);
  return { options, limit: data, findings: findings(limitSchema, written, issues, [...base, 'limit']) };
}

/** A value that has yet to be looked up cannot be judged; which options stand together can. */
function isReference(value: unknown): boolean {
  return typeof value === 'string' && hasReference(value);
}

/** What is at `path`, or the text that stands in its way. */
function valueAlong(value: unknown, path: Path): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at === 'string') return at;
    at = valueAt(at, [key]);
  }
  return at;
}

function templateFindings(options: unknown, base: Path): readonly Finding[] {
  const found: Finding[] = [];
  walkStrings(options, (text, path) => {
    try {
      parseTemplate(text);
    } catch (error) {
      if (!(error instanceof DbBackupError)) throw error;
      found.push({ path: [...base, ...path], message: messageOf(error) });
    }
  });
  return found;
}
