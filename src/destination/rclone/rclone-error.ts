/** How rclone failed, in the words of the program. Exit codes: https://rclone.org/docs/#exit-code */
import { DbBackupError } from '../../errors.ts';
import { ProgramFailure } from '../../process/process.ts';

const folderMissing = 3;
const fileMissing = 4;
const temporary = 5;

const full = /no space left|disk quota|quota.?exceeded|insufficient.?storage|storage.?full|out of space/i;
const passing =
  /connection (refused|reset)|broken pipe|i\/o timeout|timeout|timed out|\bEOF\b|no route to host|network is unreachable|temporary|too many requests|rate.?limit|connection lost|mkParentDir failed|use of closed network|\b(429|50[0234])\b/i;

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /didn't find section in config file|not found in config/i,
    'Make the remote with `rclone config`, or correct `remote` and `config`.',
  ],
  [
    /unable to decrypt configuration|RCLONE_CONFIG_PASS|password to decrypt/i,
    'The config file of rclone is encrypted: give `configPassword`.',
  ],
  [
    /knownhosts|host key|unable to authenticate/i,
    'Set known_hosts_file and the credentials of this remote with `rclone config`.',
  ],
  [
    /permission denied|access.?denied|forbidden|unauthorized|\b40[13]\b/i,
    'The remote refuses: check its credentials and their rights (`rclone config`).',
  ],
  [passing, 'The remote cannot be reached, or is overloaded: check the network, or try again later.'],
];

/** True when rclone says that there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return error instanceof ProgramFailure && [folderMissing, fileMissing].includes(error.toolExitCode ?? 0);
}

/** True when the same command may succeed later by itself. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ProgramFailure) {
    return error.retryable || error.toolExitCode === temporary || passing.test(error.stderrTail);
  }
  return error instanceof DbBackupError && error.retryable;
}

/** DISK_FULL or DESTINATION_FAILED for a failure of rclone; any other error of ours stays what it is. */
export function rcloneError(cause: unknown, action: string): DbBackupError {
  if (cause instanceof DbBackupError && !(cause instanceof ProgramFailure)) return cause;
  const said = cause instanceof ProgramFailure ? cause.stderrTail : '';
  if (full.test(said)) {
    return new DbBackupError('DISK_FULL', `${action} failed: no space left`, {
      cause,
      hint: 'Free some space, raise the quota, or keep fewer backups; nothing unfinished was left under the name.',
    });
  }
  const hint = hints.find(([pattern]) => pattern.test(said))?.[1];
  return new DbBackupError('DESTINATION_FAILED', `${action} failed`, {
    cause,
    hint: hint ?? (cause instanceof DbBackupError ? cause.hint : undefined),
    retryable: isPassing(cause),
  });
}
