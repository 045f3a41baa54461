/**
 * A ConfigMap and one CronJob for each job, as plain objects. The cluster is the scheduler, and the stores hold all
 * state: a pod needs none that outlives it. Guarantees: no value of a secret is in them, only where it is found; what
 * the cluster's own reading of a cron expression would change is rewritten or refused.
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
// Made from the schema that Kubernetes publishes: the compiler checks what is written here against it.
import type { CronJob, CronJobSpec } from 'kubernetes-types/batch/v1.js';
import type { ConfigMap, EnvVar, PodSpec, Volume } from 'kubernetes-types/core/v1.js';
import { DbBackupError } from '../errors.ts';
import { joinsDaysByOr, parseCron } from './cron-fields.ts';
import { cronOf, describeSchedule, type ScheduledJob } from './schedule.ts';

/** What a job's part of the config refers to. */
export interface SecretNeeds {
  /** `${NAME}`; one with a default may be missing. */
  readonly variables: readonly { readonly name: string; readonly optional: boolean }[];
  /** `${file:path}`, as written. */
  readonly files: readonly string[];
}

export interface ClusterChoice {
  readonly image: string;
  /** Undefined: whatever kubectl is set to. */
  readonly namespace?: string;
  /** Of every object's name: it keeps two configs of one namespace apart that have jobs of the same name. */
  readonly namePrefix: string;
  /** Name of the Secret that holds the variables and files. */
  readonly secret: string;
  /** Of a schedule without one: the machine's, where the config was written. */
  readonly timezone: string;
}

export interface ClusterJob extends ScheduledJob {
  readonly needs: SecretNeeds;
  readonly totalTimeoutMs?: number;
}

const configFolder = '/etc/dbbackup';
const configFile = 'dbbackup.yaml';
const stateRoot = '/var/lib/dbbackup';
/** A run that could not begin within it waits for the next time. */
const deadlineSeconds = 3600;
/** Of the run's own time limit, to end in good order. */
const graceSeconds = 120;
const user = 10001;

export function kubernetesManifests(
  jobs: readonly ClusterJob[],
  configText: string,
  choice: ClusterChoice,
): readonly (ConfigMap | CronJob)[] {
  checkPrefix(choice.namePrefix);
  const config = `${choice.namePrefix}-config-${digest(configText)}`;
  const labels = labelsOf(choice);
  const metadata = { namespace: choice.namespace, labels };
  // Over all jobs: they share one Secret, and two files of one name need two keys in it whoever uses them.
  const files = secretFiles(jobs.flatMap(({ needs }) => needs.files));
  // Named for what it holds: two configs in one namespace do not meet, and a job keeps the one it was made with.
  const map: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: config, ...metadata },
    data: { [configFile]: configText },
  };
  const cronJobs = jobs.map(
    (job): CronJob => ({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: {
        name: objectName(job.name, choice.namePrefix),
        ...metadata,
        annotations: { 'dbbackup/job': job.name },
      },
      spec: cronJobSpec(job, config, files, choice),
    }),
  );
  return [map, ...cronJobs];
}

/** `kubectl get cronjobs -l app.kubernetes.io/instance=<prefix>`: what was made of one config. */
function labelsOf({ namePrefix }: ClusterChoice) {
  return { 'app.kubernetes.io/name': 'dbbackup', 'app.kubernetes.io/instance': namePrefix };
}

/** Short enough that names stay readable beside it, and never cut off by `objectName`. */
function checkPrefix(prefix: string): void {
  if (/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/.test(prefix)) return;
  throw new DbBackupError('USAGE', `--name-prefix ${prefix}: names in a cluster cannot begin with this`, {
    hint: 'Use up to 30 lowercase letters, digits and dashes, a letter first and no dash at the end (--name-prefix shop-backup).',
  });
}

function cronJobSpec(
  job: ClusterJob,
  config: string,
  files: readonly SecretFile[],
  choice: ClusterChoice,
): CronJobSpec {
  const { totalTimeoutMs } = job;
  const limit = totalTimeoutMs === undefined ? undefined : Math.ceil(totalTimeoutMs / 1000) + graceSeconds;
  return {
    schedule: clusterCron(job),
    timeZone: job.schedule.timezone ?? choice.timezone,
    // The lock between runs is one of a single machine; here the cluster keeps them apart.
    concurrencyPolicy: 'Forbid',
    startingDeadlineSeconds: deadlineSeconds,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 3,
    jobTemplate: {
      spec: {
        // Tries are the job's own (`retry`): exit code 8 means that there is a backup, and no second one is wanted.
        backoffLimit: 0,
        activeDeadlineSeconds: limit,
        template: { metadata: { labels: labelsOf(choice) }, spec: podSpec(job, config, files, choice) },
      },
    },
  };
}

/** `secrets`: of all jobs. */
function podSpec(job: ClusterJob, config: string, secrets: readonly SecretFile[], choice: ClusterChoice): PodSpec {
  const own = new Set(job.needs.files.map(pathInPod));
  const files = secrets.filter(({ path }) => own.has(path));
  const mounts = files.map(({ key, path }) => ({
    name: 'secret-files',
    mountPath: path,
    subPath: key,
    readOnly: true,
  }));
  return {
    // A pod's own name changes with every run, and with it the fingerprint of a source that is a local path.
    hostname: objectName(job.name, choice.namePrefix),
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: graceSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'dbbackup',
        image: choice.image,
        command: ['dbbackup'],
        args: ['run', job.name, '--config', posix.join(configFolder, configFile)],
        env: environment(job.needs, choice.secret),
        resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '1Gi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'config', mountPath: posix.join(configFolder, configFile), subPath: configFile, readOnly: true },
          { name: 'state', mountPath: stateRoot },
          { name: 'tmp', mountPath: '/tmp' },
          ...mounts,
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: config } },
      { name: 'state', emptyDir: {} },
      { name: 'tmp', emptyDir: {} },
      ...(files.length === 0 ? [] : [secretVolume(files, choice.secret)]),
    ],
  };
}

function environment({ variables }: SecretNeeds, secret: string): EnvVar[] {
  const own = { DBBACKUP_STATE_DIR: posix.join(stateRoot, 'state'), DBBACKUP_TRIGGER: 'kubernetes', HOME: '/tmp' };
  return [
    ...Object.entries(own).map(([name, value]) => ({ name, value })),
    ...variables.map(({ name, optional }) => ({
      name,
      valueFrom: { secretKeyRef: { name: secret, key: name, optional: optional || undefined } },
    })),
  ];
}

interface SecretFile {
  /** In the Secret. */
  readonly key: string;
  /** In the pod. */
  readonly path: string;
}

/** Readable by the pod's group alone, and owned by root: what readSecretFile takes for private. */
function secretVolume(files: readonly SecretFile[], secret: string): Volume {
  const items = files.map(({ key }) => ({ key, path: key }));
  return { name: 'secret-files', secret: { secretName: secret, defaultMode: 0o440, items } };
}

/** The keys that the Secret must have for the files that all exported jobs refer to: their names, told apart. */
export function secretFiles(paths: readonly string[]): readonly SecretFile[] {
  const absolute = [...new Set(paths.map(pathInPod))];
  const keyOf = (path: string) => posix.basename(path).replace(/[^\w.-]/g, '-');
  return absolute.map((path) => {
    const isOnly = absolute.filter((other) => keyOf(other) === keyOf(path)).length === 1;
    return { key: isOnly ? keyOf(path) : `${keyOf(path)}-${digest(path)}`, path };
  });
}

function pathInPod(path: string): string {
  return posix.resolve(configFolder, path);
}

/** Of a CronJob: a DNS label of at most 52 characters, since 11 are added for its runs; no two jobs share one. */
function objectName(job: string, prefix: string): string {
  const name = `${prefix}-${job}`;
  if (/^[a-z0-9-]{1,52}$/.test(name) && !name.endsWith('-')) return name;
  const plain = name.toLowerCase().replace(/[^a-z0-9-]/g, '-');
  return `${plain.slice(0, 45).replace(/-+$/, '')}-${digest(job)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}

/** As the cluster reads it: Sunday is 0, never 7, and a day field that begins with a star restricts when it has a step. */
function clusterCron(job: ScheduledJob): string {
  const expression = cronOf(job.schedule);
  if (expression === undefined) throw cannot(job, 'a CronJob cannot say this interval');
  const fields = parseCron(expression);
  const { minute, hour, dayOfMonth, month, dayOfWeek } = fields;
  if (!joinsDaysByOr(fields) && !dayOfMonth.full && !dayOfWeek.full) {
    throw cannot(job, 'a CronJob would run when either day matches, not both');
  }
  // `*/1` and the like are a star to cron and a step to the cluster.
  const days = joinsDaysByOr(fields) ? dayOfMonth.text : dayOfMonth.full ? '*' : dayOfMonth.text;
  const weekdays = dayOfWeek.full && !joinsDaysByOr(fields) ? '*' : dayOfWeek.values.join(',');
  return [minute.text, hour.text, days, month.text, weekdays].join(' ');
}

function cannot(job: ScheduledJob, why: string): DbBackupError {
  return new DbBackupError('UNSUPPORTED', `job ${job.name}, ${describeSchedule(job.schedule)}: ${why}`, {
    hint: 'Use another schedule, or run `dbbackup daemon` in a Deployment of one replica: it can do all of it.',
  });
}
