/** The user's crontab, by the `crontab` program alone: only it knows where crontabs lie and tells cron of a change. */
import { DbBackupError, messageOf } from '../../errors.ts';
import { capture, consume, findProgram, ProgramFailure, produce } from '../../process/process.ts';

const missingHint = 'Install it: apt-get install cron. Or use --format systemd, or `dbbackup daemon`.';
const longestMs = 30_000;

export async function hasCrontab(): Promise<boolean> {
  return (await findProgram('crontab')) !== undefined;
}

/** The text; empty without a crontab. Throws UNSUPPORTED for one that is not UTF-8: it could not be written back as it was. */
export async function readCrontab(signal: AbortSignal): Promise<string> {
  const program = produce({ ...spec(['-l'], signal), env: { LC_ALL: 'C' } });
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of program.stdout) chunks.push(chunk as Buffer);
    await program.ended;
  } catch (error) {
    if (error instanceof ProgramFailure && /no crontab for/i.test(messageOf(error))) return '';
    throw error;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new DbBackupError(
      'UNSUPPORTED',
      'the crontab holds bytes that are not UTF-8, and would not stay as they are',
      {
        hint: 'Add the lines of `dbbackup schedule export --format crontab` with crontab -e.',
        cause,
      },
    );
  }
}

/** Puts a text in place of the crontab, and looks whether it is there. */
export async function writeCrontab(text: string, signal: AbortSignal): Promise<void> {
  if (text === '') await capture(spec(['-r'], signal));
  else {
    const program = consume(spec(['-'], signal));
    program.stdin.end(text);
    await program.ended;
  }
  if ((await readCrontab(signal)) === text) return;
  throw new DbBackupError('UNEXPECTED', 'the crontab is not what was written to it', {
    hint: 'Look at it with crontab -l; somebody else may have changed it at the same moment.',
  });
}

function spec(args: readonly string[], signal: AbortSignal) {
  return { command: 'crontab', args, signal, missingHint, totalTimeoutMs: longestMs };
}
