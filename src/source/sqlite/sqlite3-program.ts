/** The `sqlite3` program: found, new enough, and started so that nothing in the user's home changes what it does. */
import { DbBackupError } from '../../errors.ts';
import { capture, findProgram } from '../../process/process.ts';

const hint =
  'Install it: apt-get install sqlite3 (macOS: brew install sqlite), or use "format: sqlite", which needs no program.';

/** `-init` instead of ~/.sqliterc. */
export const sqlite3Arguments = ['-batch', '-init', '/dev/null'] as const;

/** Of 2022-02: has `-safe`, pragma_table_list and JSON functions. */
const oldest = [3, 38] as const;

/** Absolute path. Throws TOOL_MISSING, TOOL_TOO_OLD. */
export async function findSqlite3(signal: AbortSignal): Promise<string> {
  const command = await findProgram('sqlite3');
  if (command === undefined) {
    throw new DbBackupError(
      'TOOL_MISSING',
      'the program sqlite3, which writes and reads "format: sql", was not found',
      {
        hint,
      },
    );
  }
  const { stdout } = await capture({ command, args: ['-version'], signal });
  assertUsable(command, stdout);
  return command;
}

/** `said`: its answer to -version; `where`: of one behind a prefix. Throws TOOL_MISSING, TOOL_TOO_OLD. */
export function assertUsable(command: string, said: string, where = ''): void {
  const way = where === '' ? hint : 'Install it there: apt-get install sqlite3, apk add sqlite.';
  if (command === '') {
    throw new DbBackupError('TOOL_MISSING', `the program sqlite3 was not found${where}`, { hint: way });
  }
  const [major = 0, minor = 0] = said.split(/[.\s]/).map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return;
  const what = `${command}${where} is version ${said.split(' ')[0]}`;
  throw new DbBackupError('TOOL_TOO_OLD', `${what}; ${oldest.join('.')} is needed`, { hint: way });
}
