import type { Catalog } from './catalog.ts';
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';

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

/** @throws CONFIG_NOT_FOUND, CONFIG_UNTRUSTED, CONFIG_INVALID (code in place of data, unreadable). */
export async function readConfig(_request: ConfigRequest): Promise<ConfigReading> {
  throw new Error('not yet written');
}

/** @throws CONFIG_NOT_FOUND, CONFIG_UNTRUSTED, CONFIG_INVALID with every problem on its own line. */
export async function loadConfig(_request: ConfigRequest): Promise<Config> {
  throw new Error('not yet written');
}
