/**
 * The whole file against the catalog: shape, adapters' own options, names that jobs refer to, and what each job's
 * source and destinations can do. Finds every problem at once and looks up nothing.
 */
import { resolve } from 'node:path';
import type { Catalog } from './catalog.ts';
import { type AdapterSection, type CheckedAdapter, checkAdapter } from './check-adapter.ts';
import { checkJob } from './check-job.ts';
import type { AdapterDefinition, Config } from './config.ts';
import { check, type Finding, findings } from './issue.ts';
import { keptText } from './kept-text.ts';
import { fileSchema } from './schema.ts';
import { secretFiles } from './secret-files.ts';
import { hasReference } from './template.ts';
import { isRecord, valueAt, walkStrings } from './walk-strings.ts';

export interface Checked {
  readonly findings: readonly Finding[];
  /** Undefined when there are findings. */
  readonly config: Config | undefined;
}

export function checkConfig(raw: unknown, file: string, folder: string, catalog: Catalog): Checked {
  const shape = check(fileSchema, raw);
  const checkAll = (section: AdapterSection): ReadonlyMap<string, CheckedAdapter> =>
    new Map(entries(raw, section, (name, value) => [name, checkAdapter(section, name, value, catalog[section], file)]));
  const adapters = {
    sources: checkAll('sources'),
    destinations: checkAll('destinations'),
    encryption: checkAll('encryption'),
    notifications: checkAll('notifications'),
  };
  const jobs = entries(raw, 'jobs', (name, value) => checkJob(name, value, adapters, catalog.sources));
  const all = [
    ...findings(fileSchema, raw, shape.issues, []),
    ...misplacedReferences(raw),
    ...Object.values(adapters).flatMap((section) => [...section.values()].flatMap((adapter) => adapter.findings)),
    ...jobs.flatMap((job) => job.findings),
  ];
  if (all.length > 0 || shape.data === undefined) return { findings: all, config: undefined };
  const config: Config = {
    file,
    folder,
    sources: definitions(adapters.sources),
    destinations: definitions(adapters.destinations),
    encryption: definitions(adapters.encryption),
    notifications: definitions(adapters.notifications),
    jobs: new Map(jobs.flatMap(({ job }) => (job === undefined ? [] : [[job.name, job]]))),
    signing: signingDefinition(raw, file),
    maxConcurrentJobs: shape.data.maxConcurrentJobs,
    keptText: shape.data.keepConfig ? keptText(raw, file) : undefined,
    secretFiles: secretFiles(raw, folder),
    stateFolder: shape.data.state && resolve(folder, shape.data.state.dir),
  };
  return { findings: [], config };
}

function entries<Result>(raw: unknown, section: string, each: (name: string, value: unknown) => Result): Result[] {
  const value = valueAt(raw, [section]);
  return isRecord(value) ? Object.entries(value).map(([name, entry]) => each(name, entry)) : [];
}

function definitions(adapters: ReadonlyMap<string, CheckedAdapter>): ReadonlyMap<string, AdapterDefinition> {
  return new Map([...adapters].map(([name, { definition }]) => [name, definition]));
}

/** As raw options: its references are looked up by the commands that sign or check. */
function signingDefinition(raw: unknown, file: string): AdapterDefinition | undefined {
  const options = valueAt(raw, ['signing']);
  return isRecord(options) ? { name: 'signing', type: 'signing', options, place: `${file}: signing` } : undefined;
}

/** `state.dir: ${X}` would otherwise make a folder of that name. */
function misplacedReferences(raw: unknown): readonly Finding[] {
  const found: Finding[] = [];
  for (const section of ['jobs', 'state']) {
    walkStrings(valueAt(raw, [section]), (text, path) => {
      const message =
        'references are looked up only inside sources, destinations, encryption, notifications and signing';
      if (hasReference(text)) found.push({ path: [section, ...path], message });
    });
  }
  return found;
}
