/**
 * The one place that knows which strings are secret. Whoever resolves or parses a secret registers it here;
 * every sink (messages, logs, history, JSON, progress) passes its text through `redact`.
 * Guarantees: a registered secret, its URL-encoded and its JSON-escaped form never leave. Refuses: nothing; very
 * short values (under 4 characters) are not registered, because replacing them would destroy every text.
 */

const secrets = new Set<string>();
const mask = '***';
const shortest = 4;

/**
 * Password of a URL: from the first colon to the last `@`, since passwords with an unescaped `/` or `@` are pasted as they
 * are. Rather too much than too little; after a slash no further than a quote, so that JSON stays JSON.
 */
export const urlPassword = /([a-z][a-z0-9+.-]*:\/\/[^\s:/]*:)([^\s/]+(?:\/[^\s"'<>`]*)?|\/[^\s"'<>`]*)(?=@)/gi;

/** Registers a secret value for the life of the process. */
export function registerSecret(value: string): void {
  for (const form of [value, value.trim(), encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) {
    if (form.length >= shortest) secrets.add(form);
  }
}

/** Replaces every registered secret, and the password part of any URL, in `text`. */
export function redact(text: string): string {
  let result = text.replace(urlPassword, `$1${mask}`);
  result = result.replace(/([?&]password=)[^\s&#]+/gi, `$1${mask}`);
  // Longest first, so that a secret which contains another is replaced whole.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    result = result.replaceAll(secret, mask);
  }
  return result;
}
