/**
 * The file format of known_hosts, as OpenSSH reads it (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): several names in a line,
 * wildcards and negation, hashed names, `[host]:port`, `@revoked`. `@cert-authority` lines are passed over, because the
 * SSH library knows no host certificates.
 */
import { createHash, createHmac } from 'node:crypto';

export interface HostKeyLine {
  readonly revoked: boolean;
  /** The names as they stand there: a pattern list, or one hashed name. */
  readonly hosts: string;
  /** The key as it goes over the wire (RFC 4253, 6.6). */
  readonly key: Buffer;
}

export type Verdict =
  | { readonly kind: 'known' | 'revoked' | 'unknown' }
  /** Another key of the same type is on record. */
  | { readonly kind: 'changed'; readonly expected: readonly string[] };

/** Lines that are no host keys are left out, as ssh leaves them out. */
export function parseKnownHosts(text: string): HostKeyLine[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [hosts = '', type = '', base64 = ''] = words;
    if (hosts === '' || hosts.startsWith('#') || marker === '@cert-authority') return [];
    const key = Buffer.from(base64, 'base64');
    return typeOfKey(key) === type ? [{ revoked: marker === '@revoked', hosts, key }] : [];
  });
}

/** What the lines say about a key that a server has shown. */
export function judgeHostKey(lines: readonly HostKeyLine[], host: string, port: number, key: Buffer): Verdict {
  const mine = linesFor(lines, host, port);
  // Like ssh: a name without a port vouches for every port, but says nothing against the key of another one.
  const anyPort = port === 22 ? mine : [...mine, ...linesFor(lines, host, 22)];
  if (anyPort.some((line) => line.revoked && line.key.equals(key))) return { kind: 'revoked' };
  if (anyPort.some((line) => !line.revoked && line.key.equals(key))) return { kind: 'known' };
  const others = mine.filter((line) => !line.revoked && typeOfKey(line.key) === typeOfKey(key));
  if (others.length === 0) return { kind: 'unknown' };
  return { kind: 'changed', expected: others.map((line) => fingerprintOf(line.key)) };
}

/** Types of the keys on record for a host, so that the server can be asked for one of them. */
export function knownTypes(lines: readonly HostKeyLine[], host: string, port: number): string[] {
  const found = [...linesFor(lines, host, port), ...linesFor(lines, host, 22)].filter((line) => !line.revoked);
  return [...new Set(found.map((line) => typeOfKey(line.key)))];
}

/** `SHA256:…` as ssh prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The name of the type that every key begins with: `ssh-ed25519`; empty when it is no key. */
export function typeOfKey(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return length > 0 && length <= 64 && key.length > 4 + length ? key.toString('latin1', 4, 4 + length) : '';
}

/** The host as known_hosts writes it. */
export function knownHostsName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

function linesFor(lines: readonly HostKeyLine[], host: string, port: number): HostKeyLine[] {
  const name = knownHostsName(host, port);
  return lines.filter(({ hosts }) => (hosts.startsWith('|') ? matchesHash(hosts, name) : matchesList(hosts, name)));
}

/** `|1|salt|HMAC-SHA1(salt, name)`, both base64. */
function matchesHash(hashed: string, name: string): boolean {
  const [, version, salt = '', hash = ''] = hashed.split('|');
  if (version !== '1') return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** One matching `!pattern` rules out the whole line. */
function matchesList(list: string, name: string): boolean {
  let matched = false;
  for (const pattern of list.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/** `*` and `?`; everything else, brackets too, means itself. */
function matchesPattern(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`).test(name);
}
