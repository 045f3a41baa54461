/**
 * A folder with its files, links, modes and times as a tar (pax) that the standard `tar` reads.
 * Guarantees: every entry is whole and as long as its header says, or the dump fails; links are kept and never followed;
 * names are bytes. A restore is built beside the target and takes its place at once or not at all.
 * Refuses: entries that would leave the target, devices, a target with data without consent, an empty folder.
 */
import { realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { DbBackupError, wrapError } from '../../errors.ts';
import type { DumpFormat, Source, SourceCapabilities, SourceType } from '../source.ts';
import { type Measure, measure } from './archive.ts';
import { checkFiles } from './check.ts';
import { startDump } from './dump.ts';
import { EndOfDumpCheck } from './end-of-dump.ts';
import { type FilesOptions, filesOptions, folderPath, optionsFromTarget } from './options.ts';
import { restoreFiles } from './restore.ts';
import { filesSetup } from './setup.ts';
import { lookAtTarget } from './target-folder.ts';

/** Of the archive, should it ever change. */
const version = '1.0';

const tarFormat: DumpFormat = {
  name: 'tar',
  extension: '.tar',
  restoreFrom: 'stream',
  restoreTables: false,
  parallelRestore: false,
};

const capabilities: SourceCapabilities = {
  formats: [tarFormat],
  backupTypes: ['full'],
  tableFilter: false,
  schemaFilter: false,
  restoreOptions: ['clean'],
};

export const filesType: SourceType<FilesOptions> = {
  type: 'files',
  options: filesOptions,
  capabilities: () => capabilities,
  open: openFiles,
  fromTarget: optionsFromTarget,
  endOfDumpCheck: () => new EndOfDumpCheck(),
  recovery: () => ({
    packages: ['tar'],
    command: (file) => `mkdir restored && tar --numeric-owner -xpf ${file} -C restored`,
  }),
  setup: filesSetup,
};

function openFiles(options: FilesOptions, baseFolder: string): Source {
  const path = folderPath(options, baseFolder);
  // A run inspects first; measuring again would only cost time.
  let measured: Measure | undefined;
  return {
    identity: { fingerprintParts: ['files', hostname(), path], label: path },
    async inspect(context) {
      measured = await measure(await existingFolder(path), options, context);
      const tool = `tar (pax) ${version}`;
      const estimatedBytes = measured.bytes;
      return { tool, toolVersion: version, databases: [basename(path) || path], estimatedBytes, warnings: [] };
    },
    async dump(_request, context) {
      const folder = await existingFolder(path);
      measured ??= await measure(folder, options, context);
      return startDump(folder, options, measured, context);
    },
    async examineTarget(_request, { own }) {
      const { hasData } = await lookAtTarget(path, own);
      return { label: path, hasData };
    },
    restore: (request, context) => restoreFiles(path, options, request, context),
    async *check(context) {
      yield* checkFiles(await existingFolder(path), options, context);
    },
  };
}

/** Its real path: the folder itself may be reached by a link, what is in it is not followed. */
async function existingFolder(path: string): Promise<string> {
  const hint = 'Check "path"; a relative one is relative to the folder of the configuration file.';
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch (cause) {
    throw wrapError(cause, 'SOURCE_FAILED', `the folder ${path} cannot be read`, hint);
  }
  throw new DbBackupError('SOURCE_FAILED', `${path} is not a folder`, { hint });
}
