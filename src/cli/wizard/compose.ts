/** From the answers to the entries of the config, with comments for whoever reads them next. */
import type { Entry, Field, SectionComments } from '../../config/edit/entry.ts';
import { type AdapterDraft, asLiteral } from './draft.ts';

export const fileComment = `# dbbackup: what is backed up, where to, and how. \`dbbackup config validate\` checks this file, \`dbbackup check\` tries
# it out. All that can be set is in config.example.yaml of the package. Relative paths begin in the folder of this file.
# Values kept elsewhere: \${NAME} is a variable of the environment, \${file:path} the content of a file that only you can
# read. A secret belongs there, not here.
`;

export const sectionComments: SectionComments = {
  sources: 'What is backed up: postgres, mysql, redis, sqlite, files, command. Any number, used by any number of jobs.',
  destinations: 'Where backups go: local, s3, sftp, rclone. A second one elsewhere survives the loss of the first.',
  encryption: 'Who can read the backups. A lost key is a lost backup: keep copies of it away from this machine.',
  jobs: 'Jobs: one source to one or more destinations. `dbbackup run <job>` runs one, `dbbackup run --all` all of them.',
};

export function adapterEntry(name: string, { section, type, setup, options, secrets }: AdapterDraft): Entry {
  const inOrder = setup.questions.flatMap(({ option }) => (options[option] === undefined ? [] : [option]));
  const all = [...new Set([...inOrder, ...Object.keys(options)])];
  const field = (key: string): Field => {
    const secret = secrets[key];
    return { key, value: options[key], isSecret: secret !== undefined && options[key] === asLiteral(secret) };
  };
  const fields = [{ key: 'type', value: type }, ...all.map(field)];
  return { section, name, fields, notes: setup.more };
}

export function encryptionEntry(name: string, recipients: readonly string[]): Entry {
  const above =
    'Public: they encrypt only. Any one of their identities opens a backup; add a second one, kept elsewhere.';
  const fields = [
    { key: 'type', value: 'age' },
    { key: 'recipients', value: recipients, above },
  ];
  return { section: 'encryption', name, fields, notes: [] };
}

export interface JobParts {
  readonly name: string;
  readonly source: string;
  readonly destinations: readonly string[];
  readonly bundle: boolean;
  readonly compression: unknown;
  readonly encryption: string | undefined;
  readonly retention: unknown;
  readonly schedule: unknown;
}

const install = '`dbbackup schedule install`';

export function jobEntry(parts: JobParts): Entry {
  const { name, source, destinations, bundle, compression, encryption, retention, schedule } = parts;
  const fields: readonly (Field | undefined)[] = [
    { key: 'source', value: source },
    { key: 'destinations', value: destinations, comment: 'every one gets a copy' },
    bundle ? { key: 'databases', value: 'all', comment: 'of the server, in one backup' } : undefined,
    { key: 'compression', value: compression, comment: 'none, gzip, brotli, zstd or bzip2' },
    encryption === undefined ? undefined : { key: 'encryption', value: encryption },
    retention === undefined
      ? undefined
      : {
          key: 'retention',
          value: retention,
          above: 'What stays: a backup is deleted only when none of these wants it.',
        },
    schedule === undefined
      ? undefined
      : { key: 'schedule', value: schedule, above: `When, once it is handed to cron or systemd: ${install}.` },
  ];
  const notes = [
    ...(schedule === undefined ? [`schedule: { cron: "0 3 * * *" } # or { every: 6h }; then ${install}`] : []),
    ...(encryption === undefined
      ? ['encryption: main # a profile of the section `encryption`; dbbackup keygen makes a key']
      : []),
    ...(retention === undefined
      ? ['retention: { daily: 7, weekly: 4, monthly: 12, minimum: 3 } # without it everything is kept']
      : []),
    'tables: { exclude: [audit_log] }, hooks, notify, retry, timeouts, anomaly: see config.example.yaml',
  ];
  return { section: 'jobs', name, fields: fields.filter((field) => field !== undefined), notes };
}
