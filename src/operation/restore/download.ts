/** A stored backup, or its decoded content, into a plain file or onto stdout. */
import { basename, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbBackupError, wrapError } from '../../errors.ts';
import type { Measure } from '../../pipeline/stage.ts';
import { openMember } from '../bundle/open-member.ts';
import { type Execution, withExecution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import { type ContentDescription, describeContent, isBundle } from '../storage/describe-content.ts';
import { resolveBackup } from '../storage/find-backup.ts';
import { describeBackup, type StoredBackup } from '../storage/stored-backup.ts';
import { type ContentChoice, openContent } from './open-content.ts';
import { assertReadable } from './refuse-unusable.ts';
import { writeNewFile } from './write-file.ts';

export interface DownloadResult {
  readonly executionId: string;
  readonly backup: StoredBackup;
  /** Absolute; undefined when it went to a stream. */
  readonly path?: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Without a sidecar, and without a wish to open it: then no key is needed to look inside. */
const asItIs: ContentDescription = { compression: 'none' };

export interface DownloadChoice extends ContentChoice {
  /** Of a bundle: the dump of this database alone, decrypted and decompressed. */
  readonly database?: string;
}

/**
 * Bytes that go to a stream have left before the last of them is verified: the caller must look at the exit code. A
 * file appears only when it is whole.
 * @param output a path, a stream, or undefined for the backup's own name in the working folder
 */
export async function download(
  reference: string,
  choice: DownloadChoice,
  output: string | Writable | undefined,
  runtime: Runtime,
): Promise<DownloadResult> {
  return withExecution({ kind: 'download', subject: reference }, runtime, async (execution) => {
    const backup = await resolveBackup(reference, runtime);
    await assertReadable(backup, runtime);
    const content =
      backup.sidecar || choice.decrypt || choice.decompress
        ? await describeContent(backup, () => runtime.decryptor(), runtime.sources, execution.signal)
        : asItIs;
    if (!backup.sidecar)
      execution.log('warning', `${describeBackup(backup)} has no sidecar: there is no hash to compare with`);
    execution.step('read');
    const { stream, measure } = await openChoice(backup, content, choice, execution, runtime);
    const path =
      typeof output === 'object'
        ? undefined
        : resolve(runtime.workingFolder, output ?? nameOf(backup, content, choice));
    try {
      if (typeof output === 'object') await pipeline(stream, output, { signal: execution.signal, end: false });
      else if (path !== undefined) await writeNewFile(stream, path, execution.signal);
    } catch (cause) {
      throw wrapError(cause, 'DESTINATION_FAILED', `download of ${describeBackup(backup)} failed`);
    }
    const value = { executionId: execution.id, backup, path, ...measure() };
    const storedBytes = backup.object?.size;
    return {
      value,
      report: { backupId: backup.sidecar?.id, artifact: backup.key, rawBytes: value.bytes, storedBytes },
    };
  });
}

async function openChoice(
  backup: StoredBackup,
  content: ContentDescription,
  choice: DownloadChoice,
  execution: Execution,
  runtime: Runtime,
): Promise<{ stream: Readable; measure(): Measure }> {
  if (choice.database === undefined) {
    const open = await openContent(backup, content, choice, execution, runtime);
    return { stream: open.stream, measure: open.raw };
  }
  if (!isBundle(content)) {
    throw new DbBackupError('USAGE', `--database: ${describeBackup(backup)} is of one database, no bundle`, {
      hint: 'Leave it out.',
    });
  }
  const recorded = backup.sidecar?.bundle?.members;
  // The rest is not read where the member's own sum is known.
  const whole = recorded === undefined ? content : { ...content, stored: undefined, raw: undefined };
  const open = await openContent(backup, whole, choice, execution, runtime);
  const { stream, sum } = openMember(open.stream, choice.database, recorded);
  return { stream, measure: sum };
}

function nameOf(backup: StoredBackup, content: ContentDescription, choice: ContentChoice): string {
  let name = basename(backup.key);
  if (content.encryption && choice.decrypt) name = name.replace(/\.(age|enc)$/, '');
  if (content.compression !== 'none' && choice.decompress) name = name.replace(/\.(gz|br|zst|bz2)$/, '');
  return name;
}
