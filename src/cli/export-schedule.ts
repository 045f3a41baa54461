/** The texts of `schedule export`, and their files. */
import { statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { formatPath } from '../config/problem.ts';
import { referencesOf, textsOf } from '../config/references.ts';
import { literalSecrets } from '../config/show.ts';
import { DbBackupError } from '../errors.ts';
import type { JobWithSchedule } from '../operation/schedule/scheduled-jobs.ts';
import { systemTimezone } from '../operation/schedule/system-timezone.ts';
import { redact } from '../redact.ts';
import { crontabBlock } from '../schedule/crontab.ts';
import { type ClusterJob, kubernetesManifests, secretFiles } from '../schedule/kubernetes.ts';
import { systemdUnits, type UnitFile, type UnitScope } from '../schedule/systemd.ts';
import type { App } from './app.ts';
import type { Output } from './output.ts';
import { thisLaunch } from './this-launch.ts';

export interface ExportRequest {
  readonly format: 'crontab' | 'systemd' | 'kubernetes';
  readonly jobs: readonly JobWithSchedule[];
  readonly config: Config;
  /** The config as parsed. */
  readonly raw: unknown;
  readonly scope: UnitScope;
  readonly options: {
    readonly envFile?: string;
    readonly image?: string;
    readonly namespace?: string;
    readonly namePrefix: string;
    readonly secret: string;
  };
}

export async function exportSchedule(request: ExportRequest, app: App, output: Output): Promise<readonly UnitFile[]> {
  const files = await filesOf(request, app, output);
  // On its way to stdout a secret would become ***, and what is exported would no longer work.
  if (files.some(({ content }) => redact(content) !== content)) {
    throw new DbBackupError('UNSUPPORTED', 'a path or name in what is exported is also a secret of the config', {
      hint: 'Replace that secret: it is no longer one.',
    });
  }
  return files;
}

async function filesOf(request: ExportRequest, app: App, output: Output): Promise<readonly UnitFile[]> {
  const { format, jobs, config, scope, options } = request;
  if (format === 'kubernetes') return [await manifest(request, app, output)];
  const launch = await thisLaunch(config, app, output, options.envFile);
  if (format === 'systemd') return jobs.flatMap((job) => systemdUnits(job, launch, scope));
  return [{ name: 'dbbackup.crontab', content: crontabBlock(jobs, launch, await systemTimezone()) }];
}

/** Never over a file that is there. */
export async function writeExport(files: readonly UnitFile[], folder: string, app: App): Promise<readonly string[]> {
  const path = resolve(app.workingFolder, folder);
  await mkdir(path, { recursive: true });
  for (const { name, content } of files) {
    await writeFile(join(path, name), content, { mode: 0o644, flag: 'wx' }).catch((cause) => {
      throw new DbBackupError('USAGE', `${join(path, name)} cannot be written`, {
        hint: 'Files that are there are left alone: name another folder.',
        cause,
      });
    });
  }
  return files.map(({ name }) => join(path, name));
}

async function manifest(request: ExportRequest, app: App, output: Output): Promise<UnitFile> {
  const { jobs, config, raw, options } = request;
  const [secretPlace] = literalSecrets(raw);
  if (secretPlace !== undefined) {
    throw new DbBackupError(
      'UNSUPPORTED',
      `${config.file} holds a secret itself (${formatPath(secretPlace)}), and a ConfigMap is no place for it`,
      {
        hint: `Take the whole value from elsewhere: \${NAME} or \${file:path} (dbbackup config show has *** where it is).`,
      },
    );
  }
  const { stringify } = await import('yaml');
  const { image = `dbbackup:${app.version}`, namespace, namePrefix, secret } = options;
  const clusterJobs = jobs.map((job) => toClusterJob(job, config));
  const choice = { image, namespace, namePrefix, secret, timezone: await systemTimezone() };
  // Without its comments, where old passwords like to stay.
  const documents = kubernetesManifests(clusterJobs, stringify(raw), choice);
  if (options.image === undefined) output.say(`image: ${image} is only a placeholder; name yours with --image`);
  for (const remark of remarks(jobs, config)) output.say(remark);
  const yaml = documents.map((each) => stringify(each, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
  return { name: 'dbbackup-cronjobs.yaml', content: `${secretComment(clusterJobs, secret)}${yaml}` };
}

function toClusterJob(job: JobWithSchedule, config: Config): ClusterJob {
  const references = referencesOf(job, config).map(({ reference }) => reference);
  const variables = new Map<string, boolean>();
  for (const each of references) {
    // Needed once without a default is needed.
    if (each.kind === 'variable')
      variables.set(each.name, (variables.get(each.name) ?? true) && each.fallback !== undefined);
  }
  return {
    ...job,
    totalTimeoutMs: job.timeouts.totalMs,
    needs: {
      variables: [...variables].map(([name, optional]) => ({ name, optional })),
      files: references.flatMap((each) => (each.kind === 'file' ? each.path : [])),
    },
  };
}

/** What the cluster must be given beside the manifest. */
function secretComment(jobs: readonly ClusterJob[], secret: string): string {
  const variables = [...new Set(jobs.flatMap(({ needs }) => needs.variables.map(({ name }) => name)))];
  const files = secretFiles(jobs.flatMap(({ needs }) => needs.files));
  if (variables.length + files.length === 0) return '';
  return [
    `# It needs a Secret "${secret}" with these keys:`,
    ...variables.map((name) => `#   ${name}`),
    ...files.map(({ key, path }) => `#   ${key}: the file that will be ${path}`),
    '',
  ].join('\n');
}

/** What cannot be taken along. */
function remarks(jobs: readonly JobWithSchedule[], config: Config): readonly string[] {
  return jobs.flatMap((job) => {
    const local = job.destinations.filter(({ type }) => type === 'local').map(({ name }) => name);
    const programs = referencesOf(job, config).flatMap(({ place, reference }) =>
      reference.kind === 'exec' ? `${job.name}: ${place} runs ${reference.words[0]}, which the image must have` : [],
    );
    const lost = local.map(
      (name) => `${job.name}: destination ${name} is a folder of the pod, and ends with it; mount a volume there`,
    );
    const files = textsOf(job, config).flatMap(({ place, text }) =>
      /^(\.|~|\/)/.test(text) && isFile(resolve(config.folder, text))
        ? `${job.name}: ${place} uses the file ${text}, which the image must have, or a volume`
        : [],
    );
    return [...lost, ...files, ...programs];
  });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
