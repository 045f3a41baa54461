import { pipeline } from 'node:stream';
import { produce } from '../../process/process.ts';
import type { DatabaseContents, Dump, SourceContext } from '../source.ts';
import { explain } from './failure.ts';
import { RdbCheck } from './rdb-check.ts';
import type { Session } from './session.ts';

/** Lets the server make a snapshot and send it; the stream's end means exit 0 and a whole RDB file. */
export async function startDump(session: Session, context: SourceContext): Promise<Dump> {
  const spec = await session.spec(context);
  const program = produce({ ...spec, args: [...spec.args, '--rdb', '-'] });
  const check = new RdbCheck(true);
  program.stdout.once('error', (error) => check.destroy(explain(error, `the dump of ${session.label}`)));
  pipeline(program.stdout, check, () => {});
  return { stream: check, contents: async () => [contentsOf(check, context)] };
}

export const contentsName = 'all databases';

function contentsOf(check: RdbCheck, context: SourceContext): DatabaseContents {
  const { walker } = check;
  if (walker.unknown !== undefined) {
    context.log(
      'warning',
      `keys were not counted: the dump holds ${walker.unknown}, which this dbbackup does not know`,
    );
  }
  if (check.isUnchecked) {
    context.log('info', 'the server writes no checksum (rdbchecksum no): the dump was read up to its end mark');
  }
  const properties = {
    rdbVersion: walker.version,
    checksum: check.isUnchecked ? 'none' : 'crc64',
    ...(walker.hasModuleData && { moduleData: 'yes' }),
    ...usedMemory(walker.auxiliary.get('used-mem')),
  };
  return { name: contentsName, tables: tablesOf(check), properties };
}

function usedMemory(bytes: string | undefined): Readonly<Record<string, number>> {
  return bytes === undefined ? {} : { usedMemory: Number(bytes) };
}

/** Keys by database, in the order of their numbers, and libraries of functions. Null: not counted. */
function tablesOf({ walker }: RdbCheck): Readonly<Record<string, number | null>> {
  const numbers = [...walker.keys].sort(([a], [b]) => a - b);
  const isWhole = walker.unknown === undefined;
  return Object.fromEntries([
    ...numbers.map(([database, keys]) => [`db${database}`, isWhole ? keys : null] as const),
    ...(walker.libraries.length > 0 ? [['functions', isWhole ? walker.libraries.length : null] as const] : []),
  ]);
}
