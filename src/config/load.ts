/**
 * Finds, reads and checks the configuration: YAML or JSON, never code. All problems come at once, each with its line
 * and path; no message repeats a value of the file. Secrets are not looked up here (see secret.ts).
 * Refuses: a file that was only found and that others could have written (trust.ts).
 */
import { dirname } from 'node:path';
import { DbBackupError } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import { checkConfig } from './check.ts';
import type { Config } from './config.ts';
import { parseConfigDocument } from './document.ts';
import { formatPath, formatProblem, type Problem } from './problem.ts';
import { type ConfigPlace, readConfigText } from './read-text.ts';
import { registerLiteralSecrets } from './show.ts';

export interface ConfigRequest extends ConfigPlace {
  /** Awaited once the file has been read. */
  readonly catalog: Catalog | Promise<Catalog>;
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
export async function readConfig({ catalog, ...place }: ConfigRequest): Promise<ConfigReading> {
  const { file, text } = await readConfigText(place);
  const { raw, problems, lineOf } = parseConfigDocument(text);
  if (problems.length > 0) return { file, raw, problems, config: undefined };
  if (raw === null) return { file, raw, problems: [{ path: '', message: 'the file is empty' }], config: undefined };
  registerLiteralSecrets(raw);
  const { findings, config } = checkConfig(raw, file, dirname(file), await catalog);
  const located = findings.map(({ path, ...rest }) => ({ path: formatPath(path), line: lineOf(path), ...rest }));
  return { file, raw, problems: located.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)), config };
}
