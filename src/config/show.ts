/**
 * The file's content without its secrets, for `config show`. References stay as written, since they hold none, but for
 * the defaults of secret options and for passwords among the words of a command.
 */
import { registerSecret, registerSecretWord, urlPassword } from '../redact.ts';
import { isPlainVariable } from './plain-variable.ts';
import { assignment, beforePath, isSecretHeader, isSecretName, passwordsIn } from './secret-name.ts';
import { isPasswordLike, replaceSecretWords, type SecretPart } from './secret-word.ts';
import { parseTemplate } from './template.ts';
import { isRecord, type Path, valueAt, walkStrings } from './walk-strings.ts';

const mask = '***';
const reference = /(?<!\$)\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g;

/** `ConfigReading.raw` with literal passwords, tokens, keys and the passwords of URLs as `***`. */
export function showConfig(raw: unknown): unknown {
  return masked(raw, [], () => mask);
}

/** Makes every literal secret of the file known to `redact`. */
export function registerLiteralSecrets(raw: unknown): void {
  walkStrings(raw, (text, path) => {
    if (isSecret(path)) for (const literal of literalsOf(text)) registerSecret(literal);
    else if (isSecretVariable(path, text)) literalsOf(text).filter(isPasswordLike).forEach(registerSecretWord);
    for (const password of passwordsIn(text)) if (!password.includes('${')) registerSecret(password);
  });
  masked(raw, [], ({ secret, certain }) => {
    if (certain) registerSecretWord(secret);
    return mask;
  });
}

/** Where the file itself holds what `showConfig` hides, and not only says where it is kept. */
export function literalSecrets(raw: unknown): readonly Path[] {
  const found: Path[] = [];
  const seen = showConfig(raw);
  walkStrings(raw, (text, path) => {
    if (valueAt(seen, path) !== text) found.push(path);
  });
  return found;
}

/** Says what to put in place of a password among the words of a command. */
type Hide = (part: SecretPart) => string;

/** `before`: the words of the list that go before a text. */
function masked(value: unknown, path: Path, hide: Hide, before: readonly string[] = []): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => masked(item, [...path, index], hide, texts(value, index)));
  if (isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, masked(item, [...path, key], hide)]));
  }
  if (typeof value === 'number') return isHidden(path, String(value)) ? mask : value;
  if (typeof value !== 'string') return value;
  return isHidden(path, value) ? maskedSecret(value, hide) : maskedText(value, hide, isCommand(path) && before);
}

function texts(list: readonly unknown[], end: number): readonly string[] {
  return list.slice(0, end).map((each) => (typeof each === 'string' ? each : ''));
}

/** Lists may be the words of a program, and hooks are commands. */
function isCommand(path: Path): boolean {
  return typeof path.at(-1) === 'number' || path.slice(2).includes('hooks');
}

/** Variables for a program may hold its secrets under any name. */
function isSecretVariable(path: Path, value: string): boolean {
  const isVariable = path.slice(2, -1).some((key) => key === 'env' || key === 'environment');
  if (!isVariable) return false;
  const literal = value.replace(reference, (written) => /^\$\{\w+:-(.*)\}$/s.exec(written)?.[1] ?? '');
  return !isPlainVariable(String(path.at(-1)), literal);
}

/** The first two keys are section and name; options and what is inside them follow. `signing` has no names. */
function isSecret(path: Path): boolean {
  const names = path.slice(path[0] === 'signing' ? 1 : 2).filter((key) => typeof key === 'string');
  return names.some(isSecretName) || (path[0] === 'notifications' && isSecretOfChannel(names));
}

/** Who has the URL of a channel can write to it; headers carry tokens. */
function isSecretOfChannel([option = '', header = '']: readonly string[]): boolean {
  return /url$/i.test(option) || (option === 'headers' && isSecretHeader(header));
}

/** ntfy's topic is a password too, but often a plain word, which must stay readable in every other text. */
function isHidden(path: Path, value: string): boolean {
  return isSecret(path) || isSecretVariable(path, value) || (path[0] === 'notifications' && path[2] === 'topic');
}

/** Of a secret option only its references are shown. */
function maskedSecret(text: string, hide: Hide): string {
  const references = [...text.matchAll(reference)].map(([written]) => withoutDefault(maskedReference(written, hide)));
  const hasLiteral = text.replace(reference, '') !== '';
  return (hasLiteral ? [mask, ...references] : references).join('') || (text === '' ? '' : mask);
}

/** Passwords of URLs, connection strings and, with the words `before`, commands; where a text has such, defaults of its references are hidden as well. */
function maskedText(text: string, hide: Hide, before: readonly string[] | false): string {
  const kept: string[] = [];
  const isAddress = text.includes('://') || text.replace(reference, '').includes('=');
  const bare = text.replace(reference, (written) => {
    const told = maskedReference(written, hide);
    kept.push(isAddress ? withoutDefault(told) : told);
    return `\u0000${kept.length - 1}\u0000`;
  });
  const hidden = (value: string) => (value.replace(/\0\d+\0/g, '') === '' ? value : mask);
  const unlessReference: Hide = (part) => (hidden(part.secret) === mask ? hide(part) : part.secret);
  const plain = before ? replaceSecretWords(bare, before, unlessReference) : bare;
  return plain
    .replace(urlPassword, (_, before: string, password: string) => {
      // `u:${PW}@h/d?x=a@b`: what follows the reference is no secret.
      const isReference = hidden(beforePath(password) ?? mask) !== mask;
      return before + (isReference ? password : hidden(password));
    })
    .replace(assignment, (all, name: string, equals: string, value: string) => {
      return isSecretName(name) ? `${name}${equals}${hidden(value)}` : all;
    })
    .replace(/\0(\d+)\0/g, (_, index: string) => kept[Number(index)] ?? mask);
}

/** `${exec:tool --token X}`. */
function maskedReference(written: string, hide: Hide): string {
  return written.replace(/^(\$\{exec:)(.*)(\})$/s, (_, head: string, command: string, end: string) => {
    return head + replaceSecretWords(command, [], hide) + end;
  });
}

function withoutDefault(written: string): string {
  return written.replace(/^(\$\{\w+:-).+\}$/s, `$1${mask}}`);
}

function literalsOf(text: string): readonly string[] {
  try {
    return parseTemplate(text).flatMap((part) => {
      if (part.kind === 'text') return part.text;
      return part.kind === 'variable' ? (part.fallback ?? []) : [];
    });
  } catch {
    return [text];
  }
}
