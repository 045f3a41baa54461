/**
 * Whether the server is the one that was meant.
 * Guarantees: no key is trusted that neither known_hosts nor a pinned fingerprint vouches for; nothing is written to
 * known_hosts; a refusal names the fingerprint and the way out.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { DbBackupError } from '../../errors.ts';
import {
  fingerprintOf,
  type HostKeyLine,
  judgeHostKey,
  knownHostsName,
  knownTypes,
  parseKnownHosts,
  typeOfKey,
} from './known-hosts.ts';
import type { SftpOptions } from './options.ts';

/** Signature algorithms (RFC 8332 for RSA) by type of key; SHA-1 is left out. */
const algorithms: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

export class HostKeyCheck {
  readonly #options: SftpOptions;
  readonly #file: string;
  readonly #lines: readonly HostKeyLine[];

  private constructor(options: SftpOptions, file: string, lines: readonly HostKeyLine[]) {
    this.#options = options;
    this.#file = file;
    this.#lines = lines;
  }

  /** Reads known_hosts anew, so that a line added meanwhile counts. Throws DESTINATION_FAILED when a configured file cannot be read. */
  static async prepare(options: SftpOptions, baseFolder: string): Promise<HostKeyCheck> {
    const own = join(homedir(), '.ssh', 'known_hosts');
    if (options.hostFingerprint !== undefined) return new HostKeyCheck(options, own, []);
    if (options.knownHosts !== undefined) {
      const file = resolve(baseFolder, options.knownHosts.replace(/^~(?=\/|$)/, homedir));
      return new HostKeyCheck(options, file, parseKnownHosts(await readConfigured(file)));
    }
    const texts = await Promise.all([own, '/etc/ssh/ssh_known_hosts'].map(readIfThere));
    return new HostKeyCheck(options, own, texts.flatMap(parseKnownHosts));
  }

  /** Those of known keys first, because a server shows only one of its keys: the first that both sides like. */
  algorithms(): string[] {
    const known = knownTypes(this.#lines, this.#options.host, this.#port);
    return [...new Set([...known, ...Object.keys(algorithms)])].flatMap((type) => algorithms[type] ?? []);
  }

  /** Throws DESTINATION_FAILED for a key that is not to be trusted. */
  assertTrusted(key: Buffer): void {
    const pinned = [this.#options.hostFingerprint ?? []].flat().map((each) => each.replace(/=$/, ''));
    const fingerprint = fingerprintOf(key);
    if (pinned.includes(fingerprint)) return;
    if (pinned.length > 0) throw this.#refusal(key, `is not the pinned ${pinned.join(' or ')}`, changedHint);
    const verdict = judgeHostKey(this.#lines, this.#options.host, this.#port, key);
    if (verdict.kind === 'unknown') throw this.#refusal(key, `is not in ${this.#file}`, this.#unknownHint(key));
    if (verdict.kind === 'revoked') throw this.#refusal(key, 'is marked @revoked in known_hosts', revokedHint);
    if (verdict.kind === 'changed') {
      const expected = verdict.expected.join(' or ');
      throw this.#refusal(key, `has changed: known_hosts has ${expected}`, changedHint);
    }
  }

  get #port(): number {
    return this.#options.port ?? 22;
  }

  #refusal(key: Buffer, reason: string, hint: string): DbBackupError {
    const name = knownHostsName(this.#options.host, this.#port);
    const shown = `${fingerprintOf(key)} (${typeOfKey(key)})`;
    return new DbBackupError('DESTINATION_FAILED', `the host key of ${name}, ${shown}, ${reason}`, { hint });
  }

  #unknownHint(key: Buffer): string {
    const type = typeOfKey(key)
      .replace(/^ssh-/, '')
      .replace(/-sha2-.*/, '');
    const scan = `ssh-keyscan -p ${this.#port} -t ${type} ${this.#options.host} >> ${this.#file}`;
    return (
      'Compare the fingerprint with the one that `ssh-keygen -lf` prints on the server for its key in /etc/ssh. Only if ' +
      `they are equal: ${scan}, or pin it in the config: hostFingerprint: ${fingerprintOf(key)}`
    );
  }
}

const changedHint =
  'Nothing was sent. Either the server was set up anew, or someone stands between. Ask its administrator for the ' +
  'fingerprint; only if it is the new one, remove the old line (ssh-keygen -R) or correct hostFingerprint.';
const revokedHint = 'Nothing was sent. The key is known to be in wrong hands; the server needs a new one.';

async function readConfigured(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new DbBackupError('DESTINATION_FAILED', `the known_hosts file ${file} cannot be read`, {
      cause,
      hint: 'Correct `knownHosts`, or make the file: ssh-keyscan prints its lines.',
    });
  }
}

async function readIfThere(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
