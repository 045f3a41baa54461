/**
 * What belongs to a server and to none of its databases: roles, their settings and memberships, tablespaces, as
 * `pg_dumpall --globals-only` writes them.
 */
import { pipeline } from 'node:stream';
import { produce } from '../../process/process.ts';
import type { Dump, DumpFormat, ServerGlobals, SourceContext } from '../source.ts';
import { EndOfDumpCheck } from './end-of-dump.ts';
import { explain } from './failure.ts';
import { restoreGlobals } from './restore-globals.ts';
import type { Session } from './session.ts';

export const globalsFormat: DumpFormat = {
  name: 'globals',
  extension: '.sql',
  restoreFrom: 'stream',
  restoreTables: false,
  parallelRestore: false,
};

export function globalsOf(session: Session): ServerGlobals {
  return {
    dump: (context) => dumpGlobals(session, context),
    restore: (input, context) => restoreGlobals(session, input, context),
  };
}

async function dumpGlobals(session: Session, context: SourceContext): Promise<Dump> {
  const { env, args } = session.connection.to(await session.maintenanceDatabase(context, []));
  // Hashes of passwords are for superusers alone to read, and not everybody wants them to lie about.
  const passwords = session.options.rolePasswords ? [] : ['--no-role-passwords'];
  const program = produce({
    ...(await session.spec('pg_dumpall', context)),
    args: ['--no-password', '--globals-only', ...passwords, ...args],
    env,
  });
  const check = new EndOfDumpCheck(globalsFormat);
  const hint = session.options.rolePasswords
    ? 'Reading the passwords of roles takes a superuser: leave rolePasswords out, or globals: false.'
    : undefined;
  program.stdout.once('error', (error) => check.destroy(explain(error, 'the dump of roles and tablespaces', hint)));
  pipeline(program.stdout, check, () => {});
  return { stream: check, contents: async () => [] };
}
