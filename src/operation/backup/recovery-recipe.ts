/**
 * The `recover` lines of a sidecar: shell commands that restore the backup on a blank Debian without dbbackup, run in
 * the folder that holds the file. Everything is checked and written to a file before any program of the engine reads
 * it: a pipe into `psql` would commit half. One list of commands joined by `&&`, so that the first failure ends it, in a
 * script and when the lines are pasted into a shell.
 */
import type { EncryptionRecord } from '../../crypto/encryption.ts';
import { decryptionStep } from '../../crypto/recovery-recipe.ts';
import type { Codec } from '../../pipeline/compression/compression.ts';
import type { RecoveryStep } from '../../source/source.ts';

export interface RecoveryParts {
  /** File name of the backup. */
  readonly artifact: string;
  readonly storedSha256: string;
  readonly encryption?: EncryptionRecord;
  readonly codec: Codec;
  readonly load: LoadSteps;
}

/** What loads the decompressed dump: one command of the engine, or for a bundle several. */
export interface LoadSteps {
  /** Debian packages that provide the programs. */
  readonly packages: readonly string[];
  /** `file` is shell-quoted. Lines that begin with `#` are for the reader; the last one is a command. */
  commands(file: string): readonly string[];
}

export function loadSteps({ packages, command, note }: RecoveryStep): LoadSteps {
  return { packages, commands: (file) => [...(note ? [`# ${note(file)}`] : []), command(file)] };
}

export function recoveryRecipe({ artifact, storedSha256, encryption, codec, load }: RecoveryParts): string[] {
  const decrypt = encryption && decryptionStep(encryption);
  const packages = [...(decrypt?.packages ?? []), ...codec.recovery.packages, ...load.packages];
  const file = shellQuote(artifact);
  const decrypted = decrypt ? artifact.replace(/\.(age|enc)$/, '') : artifact;
  const plain = codec.extension === '' ? decrypted : decrypted.slice(0, -codec.extension.length);
  const steps = [
    `echo '${storedSha256}  '${file} | sha256sum -c -`,
    ...(decrypt ? [decrypt.command(file, shellQuote(decrypted))] : []),
    ...(plain === decrypted ? [] : [`${codec.recovery.command} < ${shellQuote(decrypted)} > ${shellQuote(plain)}`]),
    ...load.commands(shellQuote(plain)),
  ];
  return [
    ...(decrypt ? [`# you need ${decrypt.needs}`] : []),
    ...(packages.length > 0 ? [`apt-get install -y ${[...new Set(packages)].join(' ')}`] : []),
    ...steps.map((step, at) => (isComment(step) || at === steps.length - 1 ? step : `${step} &&`)),
  ];
}

/** Between the commands of a list, a comment has a line to itself. */
function isComment(line: string): boolean {
  return line.startsWith('#');
}

/** POSIX shell, single quotes: the only character that needs care is the quote itself. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
