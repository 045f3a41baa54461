/**
 * The one place that knows which strings are secret. Whoever resolves or parses a secret registers it here;
 * every sink (messages, logs, history, JSON, progress) passes its text through `redact`.
 * Guarantees: a registered secret, its URL-encoded and its JSON-escaped form never leave. Refuses: nothing; very
 * short values (under 4 characters) are not registered, because replacing them would destroy every text.
 */

const secrets = new Set<string>();
/** Those that the user wrote among the words of a command: programs may have them as arguments. */
const words = new Set<string>();
const mask = '***';
const shortest = 4;

/**
 * Password of a URL: from the first colon to the last `@`, since passwords with an unescaped `/` or `@` are pasted as they
 * are. Rather too much than too little; after a slash no further than a quote, so that JSON stays JSON.
 */
export const urlPassword = /([a-z][a-z0-9+.-]*:\/\/[^\s:/]*:)([^\s/]+(?:\/[^\s"'<>`]*)?|\/[^\s"'<>`]*)(?=@)/gi;

/** Registers a secret value for the life of the process. */
export function registerSecret(value: string): void {
  for (const form of formsOf(value)) secrets.add(form);
}

/** Registers a secret that stands on a command line of the user's own making, where it is no news to `holdsSecret`. */
export function registerSecretWord(value: string): void {
  for (const form of formsOf(value)) words.add(form);
}

function formsOf(value: string): readonly string[] {
  const forms = [value, value.trim(), encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
  return forms.filter((form) => form.length >= shortest);
}

/** Replaces every registered secret, and the password part of any URL, in `text`. */
export function redact(text: string): string {
  return replaced(text, [...secrets, ...words]);
}

/** True where `text` must not be seen by other users of the machine, as arguments of programs are. */
export function holdsSecret(text: string): boolean {
  return replaced(text, [...secrets]) !== text;
}

function replaced(text: string, registered: readonly string[]): string {
  let result = text.replace(urlPassword, `$1${mask}`);
  result = result.replace(/([?&]password=)[^\s&#]+/gi, `$1${mask}`);
  // Longest first, so that a secret which contains another is replaced whole.
  for (const secret of registered.toSorted((a, b) => b.length - a.length)) {
    result = result.replaceAll(secret, mask);
  }
  return result;
}
