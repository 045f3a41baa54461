/** How it is backed up: compression, encryption, what is kept, when, and the job's name. */
import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../../config/config.ts';
import { check, findings } from '../../config/issue.ts';
import { formatPath } from '../../config/problem.ts';
import { fileSchema, jobSchema } from '../../config/schema.ts';
import { assertRecipient } from '../../crypto/age/recipient.ts';
import { explain } from '../../errors.ts';
import { pathInConfig } from './answer.ts';
import type { Wizard } from './wizard.ts';

export type ChosenEncryption =
  | { readonly kind: 'none' }
  | { readonly kind: 'profile'; readonly name: string }
  | { readonly kind: 'recipients'; readonly recipients: readonly string[] }
  /** `file`: for the identity, as the config's folder sees it. */
  | { readonly kind: 'new'; readonly file: string };

export interface ChosenJob {
  readonly name: string;
  readonly compression: unknown;
  readonly encryption: ChosenEncryption;
  /** Undefined: everything is kept. */
  readonly retention: Readonly<Record<string, unknown>> | undefined;
  /** Undefined: by hand. */
  readonly schedule: Readonly<Record<string, unknown>> | undefined;
}

export async function askJob(suggested: string, config: Config | undefined, wizard: Wizard): Promise<ChosenJob> {
  return {
    compression: await askCompression(wizard),
    encryption: await askEncryption(config, wizard),
    retention: await askRetention(wizard),
    schedule: await askSchedule(wizard),
    name: await askName(suggested, config, wizard),
  };
}

async function askCompression({ interview }: Wizard): Promise<unknown> {
  const given = interview.flag('compression');
  if (given !== undefined) {
    const [type = '', level] = given.split(':');
    const value = level === undefined ? type : { type, level: Number(level) };
    await interview.text({ flag: 'compression', message: '', check: () => problemOf('compression', value) });
    return value;
  }
  const choices = [
    ['zstd', 'zstd: fast and small, the usual choice'],
    ['gzip', 'gzip: understood everywhere'],
    ['brotli', 'brotli: smaller, slower'],
    ['bzip2', 'bzip2: smaller, slower, by the system’s program'],
    ['none', 'none'],
  ] as const;
  return interview.choose(
    { flag: 'compression', message: 'How shall it be compressed?', offered: 'zstd' },
    choices.map(([value, name]) => ({
      value: value === 'zstd' ? { type: value, level: 3 } : value,
      name,
      word: value,
    })),
  );
}

async function askEncryption(config: Config | undefined, wizard: Wizard): Promise<ChosenEncryption> {
  const { interview } = wizard;
  const profiles = [...(config?.encryption.keys() ?? [])];
  const given = interview.list('encryption');
  if (given.some((word) => word.startsWith('age1')))
    return { kind: 'recipients', recipients: await recipientsOf(given) };
  const answer = await interview.choose<string | { readonly profile: string }>(
    { flag: 'encryption', message: 'Shall it be encrypted?', offered: profiles[0] ?? 'none' },
    [
      ...profiles.map((name) => ({ value: { profile: name }, name: `as ${name} (in the config already)`, word: name })),
      { value: 'none', name: 'no: who can read the destination can read the backups', word: 'none' },
      { value: 'new', name: 'with a new key of its own, made now (age)', word: 'new' },
      { value: 'recipients', name: 'for age recipients that you have (age1…)', word: 'recipients' },
    ],
  );
  if (typeof answer === 'object') return { kind: 'profile', name: answer.profile };
  if (answer === 'new') return { kind: 'new', file: await askKeyFile(wizard) };
  if (answer !== 'recipients') return { kind: 'none' };
  const check = async (text: string) => {
    try {
      await recipientsOf(text.split(/[\s,]+/));
      return undefined;
    } catch (error) {
      return explain(error);
    }
  };
  const ask = { flag: 'recipient', message: 'Recipients (age1…, several with spaces between):', required: true, check };
  return { kind: 'recipients', recipients: (await interview.text(ask)).split(/[\s,]+/) };
}

async function recipientsOf(words: readonly string[]): Promise<readonly string[]> {
  for (const word of words) await assertRecipient(word, 'the recipient');
  return words;
}

async function askKeyFile({ interview, folders }: Wizard): Promise<string> {
  const message = 'File for the secret key (you will put it away):';
  const check = async (text: string) => {
    const found = await lstat(resolve(folders.working, text)).catch(() => undefined);
    return found && 'this file exists, and keys are never overwritten';
  };
  const ask = { flag: 'key-file', message, offered: './restore.agekey', required: true, check };
  const path = await interview.text(ask);
  return pathInConfig(path, folders);
}

const usualRetention = 'daily=7 weekly=4 monthly=12 minimum=3';

async function askRetention({ interview }: Wizard): Promise<ChosenJob['retention']> {
  const answer = await interview.text({
    flag: 'retention',
    message: 'What shall be kept? (everything: nothing is ever deleted)',
    offered: usualRetention,
    required: true,
    check: (text) => {
      const rules = rulesOf(text);
      return rules === undefined ? undefined : problemOf('retention', rules);
    },
  });
  return answer === '' ? undefined : rulesOf(answer);
}

/** `daily=7 weekly=4`, with spaces or commas between; undefined for `everything`. */
function rulesOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (/^(everything|all|none)$/i.test(text.trim())) return undefined;
  const rules = text.split(/[\s,]+/).filter(Boolean);
  return Object.fromEntries(
    rules.map((rule) => {
      const [, name = rule, value = ''] = /^([^=:]*)[=:](.*)$/.exec(rule) ?? [];
      return [name, /^\d+$/.test(value) ? Number(value) : value];
    }),
  );
}

async function askSchedule({ interview }: Wizard): Promise<ChosenJob['schedule']> {
  const answer = await interview.text({
    flag: 'schedule',
    message: 'When shall it run? (as cron has it; an interval, as 6h; or manual)',
    offered: '0 3 * * *',
    required: true,
    check: (text) => {
      const schedule = scheduleOf(text);
      return schedule === undefined ? undefined : problemOf('schedule', schedule);
    },
  });
  return answer === '' ? undefined : scheduleOf(answer);
}

/** `6h`, else cron; undefined for `manual`. */
function scheduleOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (/^manual$/i.test(text)) return undefined;
  return /^[\d.]+\s*[a-z]+$/i.test(text) ? { every: text } : { cron: text };
}

async function askName(suggested: string, config: Config | undefined, { interview }: Wizard): Promise<string> {
  const taken = new Set(config?.jobs.keys());
  return interview.text({
    flag: 'job',
    message: 'Name of the job (part of every file name):',
    offered: freeName(suggested, taken),
    required: true,
    check: (text) => (taken.has(text) ? 'a job has this name already' : badName(text)),
  });
}

/** `shop`, else `shop-2`, `shop-3` … */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!taken.has(name)) return name;
  }
}

export function badName(name: string): string | undefined {
  return check(fileSchema, { jobs: { [name]: {} } }).issues[0]?.message;
}

/** What the job's schema says of one field. */
function problemOf(field: string, value: unknown): string | undefined {
  const schema = jobSchema();
  const whole = { source: 'x', destinations: 'x', [field]: value };
  const [first] = findings(schema, whole, check(schema, whole).issues, []);
  if (first === undefined) return undefined;
  const meant = first.suggestion === undefined ? '' : `; did you mean "${first.suggestion}"?`;
  return `${formatPath(first.path.slice(1)) || field}: ${first.message}${meant}`;
}
