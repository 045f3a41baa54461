/**
 * `report`: gathers what the history and the destinations tell. Guarantees: only reads; a destination that cannot be
 * reached is named, and the report goes on without it. Refuses: nothing but a job that nobody knows.
 */
import type { Job } from '../../config/config.ts';
import { DbBackupError } from '../../errors.ts';
import type { History } from '../../history/history.ts';
import { choiceHint } from '../choice-hint.ts';
import type { Runtime } from '../runtime.ts';
import { composeJob, type Earlier } from './compose-job.ts';
import { type Copies, CopyReader } from './read-copies.ts';
import { emptyRecord, type JobRecord, readRuns, runOf } from './read-runs.ts';
import type { JobReport, Report, Run } from './report.ts';

export interface ReportRequest {
  /** Empty: every job of the config, and every other that the history knows. */
  readonly jobs: readonly string[];
  readonly since: Date;
  /** False: the history alone is asked. */
  readonly destinations: boolean;
}

export async function makeReport(
  request: ReportRequest,
  wholeHistory: Pick<History, 'list' | 'logs'>,
  runtime: Runtime,
  now = new Date(),
): Promise<Report> {
  const history = ownHistory(wholeHistory, runtime);
  const { since } = request;
  const destinationsRead = request.destinations && runtime.config !== undefined;
  const records = readRuns(history, request.jobs, since);
  const names = chooseNames(request.jobs, records, history, runtime);
  const reader = destinationsRead ? new CopyReader(runtime, now) : undefined;
  const jobs = await Promise.all(
    names.map(async (name): Promise<JobReport> => {
      const config = runtime.config?.jobs.get(name);
      const record = records.get(name) ?? emptyRecord();
      const copies = reader && (await readCopies(name, config, record, reader, runtime));
      const earlier = readEarlier(name, record, copies !== undefined, history);
      return composeJob({ ...aboutJob(name, config), record, earlier, copies }, since, now);
    }),
  );
  const { timeZone: timezone } = Intl.DateTimeFormat().resolvedOptions();
  return { tool: runtime.tool, host: runtime.host, generatedAt: now, since, timezone, destinationsRead, jobs };
}

/** Without what another config's jobs did under the names of ours. */
function ownHistory(history: Pick<History, 'list' | 'logs'>, { config }: Runtime): Pick<History, 'list' | 'logs'> {
  return {
    logs: (id) => history.logs(id),
    list: (query = {}) =>
      history.list(query.job === undefined || config?.jobs.has(query.job) ? { ...query, config: config?.file } : query),
  };
}

/** From before the time of the report, where nothing in it answers: how a job last ended, and its last good backup. */
function readEarlier(name: string, { runs }: JobRecord, copiesRead: boolean, history: Pick<History, 'list'>): Earlier {
  const isKnown = copiesRead || runs.some(({ status }) => status === 'completed');
  return {
    lastRun: runs.length > 0 ? undefined : newest(name, history),
    lastGood: isKnown ? undefined : newest(name, history, 'completed'),
  };
}

function newest(job: string, history: Pick<History, 'list'>, status?: 'completed'): Run | undefined {
  const [found] = history.list({ job, kind: 'backup', status, limit: 1 }).executions;
  return found && runOf(found);
}

/** Undefined where nobody knows of a destination to ask: the job is no more, and its runs named none that is left. */
async function readCopies(
  name: string,
  config: Job | undefined,
  record: JobRecord,
  reader: CopyReader,
  runtime: Runtime,
): Promise<readonly Copies[] | undefined> {
  const definitions =
    config?.destinations ?? [...record.destinations].flatMap((each) => runtime.config?.destinations.get(each) ?? []);
  if (definitions.length === 0) return undefined;
  return Promise.all(definitions.map((definition) => reader.read(name, definition, config)));
}

function chooseNames(
  wanted: readonly string[],
  records: ReadonlyMap<string, JobRecord>,
  history: Pick<History, 'list'>,
  runtime: Runtime,
): readonly string[] {
  const known = new Set([...(runtime.config?.jobs.keys() ?? []), ...records.keys()]);
  for (const name of wanted) {
    // One that last ran before `since` is known, too.
    if (known.has(name) || newest(name, history) !== undefined) continue;
    throw new DbBackupError('USAGE', `no job "${name}" in the config or the history`, {
      hint: choiceHint(name, known),
    });
  }
  return wanted.length > 0 ? [...new Set(wanted)] : [...known];
}

function aboutJob(name: string, config: Job | undefined) {
  const source = config && { name: config.source.name, type: config.source.type };
  const disabled = config !== undefined && !config.enabled;
  return { name, description: config?.description, source, disabled, schedule: config?.schedule };
}
