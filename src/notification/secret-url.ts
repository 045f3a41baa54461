import { z } from 'zod';
import { registerSecret } from '../redact.ts';

/** An address whose path may be a password (Slack, Discord, Healthchecks …). */
export function secretUrl() {
  return z.url({ protocol: /^https?$/, error: 'must be a URL that begins with https:// or http://' });
}

/** Makes a URL known to `redact`: whole, and whatever in its path or query looks like a token. */
export function registerUrl(url: string): void {
  registerSecret(url);
  const { pathname, searchParams, username, password } = new URL(url);
  for (const part of [...pathname.split('/'), ...searchParams.values(), username]) {
    if (/^(?=.*\d)\S{8,}$/.test(part)) registerSecret(part);
  }
  if (password !== '') registerSecret(decodeURIComponent(password));
}
