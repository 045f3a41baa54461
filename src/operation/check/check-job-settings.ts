/** What a job says, or leaves out. Nothing here keeps it from running. */
import type { Job } from '../../config/config.ts';
import { type Finding, info, ok, warn } from '../../finding.ts';

export async function* checkJobSettings(job: Job): AsyncGenerator<Finding> {
  if (!job.enabled) yield info('disabled: it runs only when it is named');
  const away = job.destinations.filter((each) => each.type !== 'local');
  if (job.destinations.length === 1) yield info('one copy only: a second destination, better elsewhere, survives more');
  else yield ok(`${job.destinations.length} copies`);
  if (away.length > 0 && job.encryption === undefined) {
    const names = away.map((each) => each.name).join(', ');
    yield warn(`it stores unencrypted at ${names}`, 'Add `encryption` to the job; `dbbackup keygen` makes a key.');
  }
  const kept = job.destinations.filter((each) => !job.retention.has(each.name)).map((each) => each.name);
  if (kept.length > 0) yield info(`no retention at ${kept.join(', ')}: everything is kept there`);
  if (job.notify.length === 0) yield info('nobody is told when it fails (`notify`)');
}
