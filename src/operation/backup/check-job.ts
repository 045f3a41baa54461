/** `run --dry-run`: everything a run needs is opened and asked, nothing is dumped or written. */
import type { Job } from '../../config/config.ts';
import { openDestination, openEncryption, openSource } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { listBackups } from '../storage/list-backups.ts';
import { openDumpable } from './open-dumpable.ts';

/** Throws what the run would throw. */
export async function checkJob(job: Job, runtime: Runtime): Promise<{ dryRun: string }> {
  await openDumpable(job, await openSource(job.source, runtime), {
    signal: runtime.signal,
    idleTimeoutMs: job.timeouts.idleMs,
    temporaryFolder: () => Promise.reject(new Error('a dry run writes nothing')),
    log: (level, text) => {
      runtime.emit({ type: 'log', executionId: '', kind: 'backup', subject: job.name, level, text });
    },
  });
  for (const definition of job.destinations) {
    await listBackups(await openDestination(definition, runtime), `${job.name}/`, runtime.signal);
  }
  if (job.encryption) await (await openEncryption(job.encryption, runtime)).encryptor(job.encryption.name);
  return { dryRun: job.name };
}
