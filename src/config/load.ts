/**
 * Finds, reads and checks the configuration: YAML or JSON, never code. All problems come at once, each with its line
 * and path; no message repeats a value of the file. Secrets are not looked up here (see secret.ts).
 * Refuses: a file that was only found and that others could have written (trust.ts).
 */
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DbBackupError } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import { checkConfig } from './check.ts';
import type { Config } from './config.ts';
import { parseConfigDocument } from './document.ts';
import { findConfig } from './find.ts';
import { formatPath, formatProblem, type Problem } from './problem.ts';
import { registerLiteralSecrets } from './show.ts';
import { assertTrusted } from './trust.ts';

export interface ConfigRequest {
  /** `--config`; without it `DBBACKUP_CONFIG`, then the search. */
  readonly named?: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly catalog: Catalog;
}

/** A file that was read: its plain content, and either a checked config or problems. */
export interface ConfigReading {
  readonly file: string;
  /** As in the file, references unresolved; for `showConfig`. */
  readonly raw: unknown;
  readonly problems: readonly Problem[];
  /** Undefined when there are problems. */
  readonly config: Config | undefined;
}

/** @throws CONFIG_NOT_FOUND, CONFIG_UNTRUSTED, CONFIG_INVALID with every problem on its own line. */
export async function loadConfig(request: ConfigRequest): Promise<Config> {
  const { config, file, problems } = await readConfig(request);
  if (config !== undefined) return config;
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => formatProblem(file, problem));
  throw new DbBackupError('CONFIG_INVALID', [`the configuration has ${count}:`, ...lines].join('\n'), {
    hint: 'config.example.yaml explains every option; "dbbackup config schema" lets an editor check the file.',
  });
}

/** @throws CONFIG_NOT_FOUND, CONFIG_UNTRUSTED, CONFIG_INVALID only where there is nothing to read. */
export async function readConfig({ named, cwd, env, catalog }: ConfigRequest): Promise<ConfigReading> {
  const name = named ?? (env['DBBACKUP_CONFIG'] || undefined);
  const file = name === undefined ? await findConfig(cwd, env) : resolve(cwd, name);
  const { raw, problems, lineOf } = parseConfigDocument(await readText(file, name !== undefined));
  if (problems.length > 0) return { file, raw, problems, config: undefined };
  if (raw === null) return { file, raw, problems: [{ path: '', message: 'the file is empty' }], config: undefined };
  registerLiteralSecrets(raw);
  const { findings, config } = checkConfig(raw, file, dirname(file), catalog);
  const located = findings.map(({ path, ...rest }) => ({ path: formatPath(path), line: lineOf(path), ...rest }));
  return { file, raw, problems: located.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)), config };
}

/** Checks and reads through one handle, so that the file checked is the file read. */
async function readText(file: string, isNamed: boolean): Promise<string> {
  if (/\.[cm]?[jt]sx?$/i.test(file)) {
    throw new DbBackupError('CONFIG_INVALID', `the configuration ${file} is a program; only YAML and JSON are read`);
  }
  const handle = await open(file).catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === 'ENOENT' ? 'CONFIG_NOT_FOUND' : 'CONFIG_INVALID';
    const hint = 'Check the path given to --config or DBBACKUP_CONFIG, and that this user may read the file.';
    throw new DbBackupError(code, `the configuration ${file} cannot be opened`, { cause, hint });
  });
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new DbBackupError('CONFIG_INVALID', `the configuration ${file} is a folder`);
    if (!isNamed) await assertTrusted(file, stats);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
