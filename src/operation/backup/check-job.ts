/** `run --dry-run`: everything a run needs is opened and asked, nothing is dumped or stored. */
import type { Job } from '../../config/config.ts';
import type { SourceContext } from '../../source/source.ts';
import { openDestination, openEncryption, openSource } from '../open-adapter.ts';
import { passingFolder } from '../passing-folder.ts';
import type { Runtime } from '../runtime.ts';
import { listBackups } from '../storage/list-backups.ts';
import { openDumpable } from './open-dumpable.ts';

/** Throws what the run would throw. */
export async function checkJob(job: Job, runtime: Runtime): Promise<{ dryRun: string }> {
  const folder = passingFolder(runtime.stateFolder);
  const context: SourceContext = {
    signal: runtime.signal,
    idleTimeoutMs: job.timeouts.idleMs,
    temporaryFolder: folder.open,
    log: (level, text) => {
      runtime.emit({ type: 'log', executionId: '', kind: 'backup', subject: job.name, level, text });
    },
  };
  try {
    await openDumpable(job, await openSource(job.source, runtime), context, runtime);
  } finally {
    await folder.remove();
  }
  for (const definition of job.destinations) {
    await listBackups(await openDestination(definition, runtime), `${job.name}/`, runtime.signal);
  }
  if (job.encryption) await (await openEncryption(job.encryption, runtime)).encryptor(job.encryption.name);
  return { dryRun: job.name };
}
