/** How a scheduler starts this program: everything absolute, since cron and systemd know neither PATH nor folder. */
export interface Launch {
  /** Absolute words: Node.js and the program. */
  readonly program: readonly string[];
  readonly configFile: string;
  readonly stateFolder: string;
  /** PATH for dump tools and hooks. */
  readonly path: string;
  readonly home: string;
  /** Absolute; a file of `NAME=value` lines that is read before each run. */
  readonly environmentFile?: string;
}

/** The arguments of one scheduled run. */
export function runArguments(job: string, { configFile }: Launch): readonly string[] {
  return ['run', job, '--quiet', '--config', configFile];
}
