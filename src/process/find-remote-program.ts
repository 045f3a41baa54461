import { capture } from './capture.ts';
import { ProgramFailure } from './failure.ts';
import type { Prefix } from './process.ts';

/** Where a program is on the other side of a prefix: on PATH there, then in `extraFolders`. Undefined when nowhere. */
export async function findRemoteProgram(
  name: string,
  prefix: Prefix,
  signal?: AbortSignal,
  extraFolders: readonly string[] = [],
): Promise<string | undefined> {
  const look = 'PATH="$PATH:$2";command -v "$1"||exit 3';
  try {
    const args = ['-c', look, 'sh', name, extraFolders.join(':')];
    return (await capture({ command: 'sh', args, prefix, signal })).stdout.trimEnd();
  } catch (error) {
    if (error instanceof ProgramFailure && error.toolExitCode === 3) return undefined;
    throw error;
  }
}
