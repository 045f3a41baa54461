/**
 * Which options of an adapter hold secrets, told by their names, and the passwords inside URLs and connection strings.
 * Options that name a place of a key (`keyFile`, `accessKeyId`) hold none.
 */
const secretName = /pass|secret|token|key|credential|identit/i;
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

/** Password of a URL: everything from the colon to the last `@` before the path. */
export const urlPassword = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)([^\s/]+)(?=@)/gi;
/** `name=value` in a URL's query or a connection string. */
export const assignment = /([\w-]+)(\s*=\s*)('[^']*'|[^&#\s]+)/g;

/** Passwords inside one value: as written, and decoded where they are URL-encoded. */
export function passwordsIn(text: string): readonly string[] {
  const found = [...text.matchAll(urlPassword)].map((match) => match[2] ?? '');
  for (const [, name = '', , value = ''] of text.matchAll(assignment)) {
    if (isSecretName(name)) found.push(value.replace(/^'(.*)'$/, '$1'));
  }
  return found.flatMap((password) => [password, decoded(password)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
