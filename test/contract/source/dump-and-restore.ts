import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type {
  DatabaseContents,
  DumpFormat,
  RestoreOutcome,
  RestoreRequest,
  Source,
  SourceType,
} from '../../../src/source/source.ts';
import type { TestDatabase } from '../describe-source.ts';
import type { TestContext } from './test-context.ts';

export function openSource(type: SourceType, database: TestDatabase): Source {
  return type.open(type.options.parse(database.options), database.baseFolder);
}

export interface DumpFile {
  readonly path: string;
  readonly totalBytes: number | undefined;
  readonly contents: readonly DatabaseContents[];
}

let dumps = 0;

export function startDump(source: Source, format: DumpFormat, context: TestContext) {
  return source.dump({ format, backupType: 'full', filter: {} }, context);
}

/** A whole dump in a file, as the operation would spool it. */
export async function dumpToFile(source: Source, format: DumpFormat, context: TestContext): Promise<DumpFile> {
  dumps += 1;
  const path = join(context.folder, `dump-${dumps}${format.extension}`);
  const dump = await startDump(source, format, context);
  await pipeline(dump.stream, createWriteStream(path));
  return { path, totalBytes: dump.totalBytes, contents: await dump.contents() };
}

export function restoreOptions(format: DumpFormat, clean: boolean): Omit<RestoreRequest, 'input'> {
  return {
    format,
    clean,
    create: false,
    dataOnly: false,
    schemaOnly: false,
    noOwner: false,
    noPrivileges: false,
    tables: [],
    jobs: 1,
    restoreId: '4f9c01',
  };
}

/** Gives the dump the way the format wants it. */
export function restoreFile(
  target: Source,
  format: DumpFormat,
  path: string,
  context: TestContext,
  clean = false,
): Promise<RestoreOutcome> {
  const input =
    format.restoreFrom === 'stream'
      ? ({ kind: 'stream', stream: createReadStream(path) } as const)
      : ({ kind: 'file', path } as const);
  return target.restore({ ...restoreOptions(format, clean), input }, context);
}
