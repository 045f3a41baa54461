/** Where dbbackup keeps its own things on this machine. */
import { statfs } from 'node:fs/promises';
import { type Finding, ok, warn } from '../../finding.ts';
import { openHistory } from '../../history/history.ts';
import { openStateFolder } from '../../state-folder.ts';
import { formatBytes } from '../../value/figure.ts';
import type { Runtime } from '../runtime.ts';

/** Bytes; history, locks and drafts need little, but not nothing. */
const littleRoom = 100 * 10 ** 6;

export async function* checkMachine(runtime: Runtime): AsyncGenerator<Finding> {
  const folder = await openStateFolder(runtime.stateFolder);
  const history = await openHistory(folder);
  try {
    yield ok(`the history in ${folder} can be read and written`);
    for (const text of history.warnings)
      yield warn(text, 'dbbackup history rebuild brings back what the sidecars tell.');
  } finally {
    history.close();
  }
  const { bavail, bsize, blocks } = await statfs(folder);
  const free = bavail * bsize;
  if (blocks > 0 && free < littleRoom) {
    yield warn(
      `only ${formatBytes(free)} are free in the state folder ${folder}`,
      'Free some space, or set state.dir to another disk.',
    );
  }
}
