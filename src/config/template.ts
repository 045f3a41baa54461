/**
 * Strings of the configuration that refer to a value kept elsewhere: `${NAME}`, `${NAME:-default}`, `${file:path}`,
 * `${exec:command}`, alone or within a longer text. `$${` is a literal `${`; braces inside a reference must be
 * balanced; references do not nest. Nothing is looked up here.
 */
import { DbBackupError } from '../errors.ts';
import { splitWords } from './words.ts';

export type Reference =
  | { readonly kind: 'variable'; readonly name: string; readonly fallback?: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'exec'; readonly words: readonly string[] };

export type Part = { readonly kind: 'text'; readonly text: string } | Reference;

/** @throws CONFIG_INVALID for a reference that is none; the message repeats nothing of the text. */
export function parseTemplate(text: string): readonly Part[] {
  const parts: Part[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('$${', at)) {
      literal += '${';
      at += 3;
    } else if (text.startsWith('${', at)) {
      const end = closingBrace(text, at + 1);
      if (literal !== '') parts.push({ kind: 'text', text: literal });
      literal = '';
      parts.push(parseReference(text.slice(at + 2, end)));
      at = end + 1;
    } else {
      literal += text[at];
      at += 1;
    }
  }
  if (literal !== '') parts.push({ kind: 'text', text: literal });
  return parts;
}

/** True where a value has to be looked up; a text that is no valid template has no references. */
export function hasReference(text: string): boolean {
  try {
    return parseTemplate(text).some((part) => part.kind !== 'text');
  } catch {
    return false;
  }
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++;
    if (text[at] === '}' && --depth === 0) return at;
  }
  throw new DbBackupError('CONFIG_INVALID', `a reference "\${" is not closed (write "$\${" for a literal "\${")`);
}

function parseReference(inside: string): Reference {
  const [, scheme, rest = ''] = /^(file|exec):(.*)$/s.exec(inside) ?? [];
  if (scheme === 'file') return { kind: 'file', path: required(rest.trim(), 'a file reference names no file') };
  if (scheme === 'exec') {
    const words = splitWords(rest);
    required(words[0] ?? '', 'an exec reference names no program');
    return { kind: 'exec', words };
  }
  const variable = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside);
  const name = variable?.[1];
  if (name === undefined) {
    throw new DbBackupError(
      'CONFIG_INVALID',
      `not a reference: use \${NAME}, \${NAME:-default}, \${file:path} or \${exec:command} ("$\${" is a literal "\${")`,
    );
  }
  const fallback = variable?.[2];
  if (fallback?.includes('${')) throw new DbBackupError('CONFIG_INVALID', 'references do not nest');
  return { kind: 'variable', name, fallback };
}

function required(value: string, message: string): string {
  if (value === '') throw new DbBackupError('CONFIG_INVALID', message);
  return value;
}
