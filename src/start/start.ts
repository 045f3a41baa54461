/** What `bin/dbbackup.js` calls. */
import { readFileSync } from 'node:fs';
import { builtFile, packageFile } from '../installation.ts';
import type * as Program from '../main.ts';

/** Runs one command line (without node and script); the program ends the process with its exit code. */
export async function start(argv: readonly string[]): Promise<void> {
  const version = readVersion();
  // The answer that scripts ask most often must not wait for the program.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${version}\n`);
    return;
  }
  const { loadScript } = await import('./load-script.ts');
  const [command = ''] = argv;
  // An option may hold a path.
  const { main } = loadScript<typeof Program>(builtFile('program.cjs'), command.startsWith('-') ? '' : command);
  await main(argv, version);
}

function readVersion(): string {
  return (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version;
}
