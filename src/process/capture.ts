import { DbBackupError } from '../errors.ts';
import { nameOf } from './failure.ts';
import type { Output, ProgramSpec } from './process.ts';
import { produce } from './produce.ts';

/** More than any list of tables; a dump has no business here. */
const limitBytes = 64 * 1024 * 1024;

/** Runs a program to its end and returns what it wrote, as UTF-8. Throws LIMIT_EXCEEDED beyond 64 MiB. */
export async function capture(spec: ProgramSpec): Promise<Output> {
  const program = produce(spec);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of program.stdout) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > limitBytes) {
      throw new DbBackupError('LIMIT_EXCEEDED', `${nameOf(spec)} wrote more than ${limitBytes} bytes`);
    }
  }
  return { ...(await program.ended), stdout: Buffer.concat(chunks).toString('utf8') };
}
