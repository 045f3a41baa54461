import { DbBackupError } from '../../errors.ts';

/** No sidecar is nested deeper; a hostile one must not exhaust the stack. */
const maxDepth = 64;

/**
 * One text for one JSON value (RFC 8785): no white space, members sorted by their names' UTF-16 code units, strings and
 * numbers as ECMAScript writes them. Takes what JSON.parse gives. Throws SIGNATURE_INVALID when it is nested too deep.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > maxDepth) {
    throw new DbBackupError('SIGNATURE_INVALID', `the sidecar is nested deeper than ${maxDepth} levels`);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member, depth + 1)}`).join(',')}}`;
}
