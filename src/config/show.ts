/**
 * The file's content without its secrets, for `config show`. References stay as written, since they hold none, but for
 * the defaults of secret options.
 */
import { registerSecret, urlPassword } from '../redact.ts';
import { assignment, beforePath, isSecretHeader, isSecretName, passwordsIn } from './secret-name.ts';
import { replaceSecretWords } from './secret-word.ts';
import { parseTemplate } from './template.ts';
import { isRecord, type Path, valueAt, walkStrings } from './walk-strings.ts';

const mask = '***';

/** `ConfigReading.raw` with literal passwords, tokens, keys and the passwords of URLs as `***`. */
export function showConfig(raw: unknown): unknown {
  return shown(raw, []);
}

/** Makes every literal secret of the file known to `redact`. */
export function registerLiteralSecrets(raw: unknown): void {
  walkStrings(raw, (text, path) => {
    if (isSecret(path)) for (const literal of literalsOf(text)) registerSecret(literal);
    for (const password of passwordsIn(text)) if (!password.includes('${')) registerSecret(password);
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

/** `before`: the words of the list that go before a text. */
function shown(value: unknown, path: Path, before: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((item, index) => shown(item, [...path, index], texts(value, index)));
  if (isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, [...path, key])]));
  }
  if (typeof value === 'string')
    return isHidden(path) ? maskedSecret(value) : maskedText(value, isCommand(path) && before);
  return typeof value === 'number' && (isSecret(path) || isVariable(path)) ? mask : value;
}

function texts(list: readonly unknown[], end: number): readonly string[] {
  return list.slice(0, end).map((each) => (typeof each === 'string' ? each : ''));
}

/**
 * Lists may be the words of a program, and hooks are commands. What is hidden in them is not registered as a secret: the
 * program would be refused for it, and the word may be a harmless one.
 */
function isCommand(path: Path): boolean {
  return typeof path.at(-1) === 'number' || path.slice(2).includes('hooks');
}

/** Variables for a program hold its secrets under any name. */
function isVariable(path: Path): boolean {
  return path.slice(2, -1).some((key) => key === 'env' || key === 'environment');
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
function isHidden(path: Path): boolean {
  return isSecret(path) || isVariable(path) || (path[0] === 'notifications' && path[2] === 'topic');
}

const reference = /(?<!\$)\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g;

/** Of a secret option only its references are shown. */
function maskedSecret(text: string): string {
  const references = [...text.matchAll(reference)].map(([written]) => withoutDefault(written));
  const hasLiteral = text.replace(reference, '') !== '';
  return (hasLiteral ? [mask, ...references] : references).join('') || (text === '' ? '' : mask);
}

/** Passwords of URLs, connection strings and, with the words `before`, commands; where a text has such, defaults of its references are hidden as well. */
function maskedText(text: string, before: readonly string[] | false): string {
  const kept: string[] = [];
  const isAddress = text.includes('://') || text.replace(reference, '').includes('=');
  const bare = text.replace(reference, (written) => {
    kept.push(isAddress ? withoutDefault(written) : written);
    return `\u0000${kept.length - 1}\u0000`;
  });
  const hidden = (value: string) => (value.replace(/\0\d+\0/g, '') === '' ? value : mask);
  const plain = before ? replaceSecretWords(bare, before, ({ secret }) => hidden(secret)) : bare;
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
