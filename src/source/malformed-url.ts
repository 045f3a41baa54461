import { DbBackupError } from '../errors.ts';
import { redact, registerSecret, urlPassword } from '../redact.ts';

/**
 * The USAGE error for a connection URL that cannot be read. Where it cannot be, nobody knows where its password ends: all
 * that may belong to it is hidden, and registered for whoever else shows the URL.
 */
export function malformedUrl(url: string, what: string, hint: string): DbBackupError {
  for (const [, , password = ''] of url.matchAll(urlPassword)) registerSecret(password);
  const shown = url
    .replace(/^([^:]*:\/\/).*(?=@)/s, '$1***')
    // Without an `@`: what follows the colon is a port, or a password whose host was forgotten.
    .replace(/^([^:]*:\/\/[^:@/[]*:)(?!\d+(?:[,/?]|$))[^@]*$/s, '$1***');
  return new DbBackupError('USAGE', `cannot read the URL ${redact(shown)}: ${what}`, { hint });
}
