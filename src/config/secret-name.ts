/**
 * Which options of an adapter hold secrets, told by their names, and the passwords inside URLs and connection strings.
 * Options that name a place of a key (`keyFile`, `accessKeyId`) hold none.
 */
import { urlPassword } from '../redact.ts';

const secretName = /pass|secret|token|key|cred|identit|authorization|auth(?![a-z])|pwd?(?![a-z])/i;
const placeOfSecret = /(file|path|folder|id)$/i;

export function isSecretName(name: string): boolean {
  return secretName.test(name) && !placeOfSecret.test(name);
}

/** Options that never hold a secret: hiding `/root` or `5432` everywhere would make every message unreadable. */
export function isPublicName(name: string): boolean {
  return /^(path|file|folder|dir|directory|host|hostname|port|database|region|bucket|prefix)$/i.test(name);
}

/** Headers of HTTP that never hold a secret. */
export function isSecretHeader(name: string): boolean {
  return !/^(content-type|accept|user-agent)$/i.test(name);
}

/** `name=value` in a URL's query or a connection string. */
export const assignment = /([\w-]+)(\s*=\s*)('[^']*'|[^&#\s]+)/g;

/** Passwords inside one value: as written, and decoded where they are URL-encoded. */
export function passwordsIn(text: string): readonly string[] {
  const found = [...text.matchAll(urlPassword)].flatMap(([, , password = '']) => [
    password,
    beforePath(password) ?? password,
  ]);
  for (const [, name = '', , value = ''] of text.matchAll(assignment)) {
    if (isSecretName(name)) found.push(value.replace(/^'(.*)'$/, '$1'));
  }
  return found.flatMap((password) => [password, decoded(password)]);
}

/**
 * Of what may be a password up to the last `@`: the part that ends at an `@` before any slash, which is the password of a
 * URL that is well formed. Undefined where there is none.
 */
export function beforePath(password: string): string | undefined {
  const [, short] = /^([^/]*)@[^/@]*\//.exec(password) ?? [];
  return short;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
