/** From what a person types to the value of an option. */
import { isAbsolute, relative, resolve } from 'node:path';
import { splitWords } from '../../config/words.ts';
import type { QuestionKind } from '../../setup.ts';
import { typedWord } from '../../value/typed-word.ts';

export interface Folders {
  /** Where the user is, and typed paths begin. */
  readonly working: string;
  /** Where the config's paths begin. */
  readonly config: string;
}

export function valueOfAnswer(kind: QuestionKind, text: string, folders: Folders): unknown {
  if (kind === 'number') return /^\d+$/.test(text) ? Number(text) : text;
  if (kind === 'words') return splitWords(text);
  if (kind === 'patterns') return text.split(',').flatMap((each) => each.trim() || []);
  return kind === 'path' ? pathInConfig(text, folders) : text;
}

/** The value as it may be typed again. */
export function answerOfValue(value: unknown, kind: QuestionKind): string | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return String(value);
  return kind === 'words' ? value.map((word) => typedWord(String(word))).join(' ') : value.join(', ');
}

/** As typed where the config lies in the working folder, else as seen from its folder. */
export function pathInConfig(path: string, { working, config }: Folders): string {
  if (isAbsolute(path) || /^~(\/|$)/.test(path) || path.includes('${') || working === config) return path;
  const seen = relative(config, resolve(working, path));
  return seen.startsWith('..') ? resolve(working, path) : `./${seen}`;
}

/** A URL and the password that stood in it, decoded; undefined where it has none, or one that is a reference. */
export function splitPassword(url: string): { readonly url: string; readonly password: string } | undefined {
  const [, before, password = ''] = /^([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):([^\s/]*)(?=@)/i.exec(url) ?? [];
  if (before !== undefined && !password.includes('${')) {
    const withoutPassword = before + url.slice(before.length + 1 + password.length);
    return { url: withoutPassword.replace('://@', '://'), password: decoded(password) };
  }
  const [pair, inQuery = ''] = /[?&]password=([^&#]*)/i.exec(url) ?? [];
  if (pair === undefined || inQuery.includes('${')) return undefined;
  const rest = url.replace(pair, '');
  const mended = pair.startsWith('?') ? rest.replace('&', '?') : rest;
  return { url: mended, password: decoded(inQuery) };
}

/** Why a URL's password cannot be told from what follows it; undefined where it can. */
export function unsplittable(url: string): string | undefined {
  const plain = url.replace(/\$\{[^}]*\}/g, 'x');
  const [, authority = '', rest = ''] = /:\/\/([^/]*)(.*)$/s.exec(plain) ?? [];
  const isHost = authority.includes('@') || /^([^:]*|\[[^\]]*\])(:\d*)?$/.test(authority);
  const behind = isHost ? rest.replace(/\?[\w.-]+=.*$/s, '') : rest;
  if (!behind.includes('@')) return undefined;
  return 'cannot tell where its password ends: write / in it as %2F, @ as %40, ? as %3F, # as %23 and % as %25';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
