/** What is particular to a folder: what it is, who can reach it, where it lies, how much room there is. */
import { type Finding, fail, info, ok, warn } from '../../finding.ts';
import { formatBytes } from '../../value/figure.ts';
import { freeBytesAt } from './free-space.ts';
import { attempt } from './local-error.ts';
import { isOnSystemDisk, isUnmounted, statIfThere } from './mount.ts';

/** Bytes; a disk with less is as good as full. */
const littleRoom = 10 ** 9;

/** `root`: absolute. */
export async function* checkFolder(root: string): AsyncGenerator<Finding> {
  const found = await attempt(`looking at ${root}`, () => statIfThere(root));
  if (found !== undefined && !found.isDirectory()) {
    yield fail(`${root} is no folder`, 'Set `path` to a folder, or move the file away.');
    return;
  }
  if (found === undefined) yield info(`${root} does not exist yet`);
  else if (found.mode & 0o022 && !(found.mode & 0o1000)) {
    yield warn(`others may write to ${root}, and could replace backups`, `chmod 700 '${root}'`);
  }
  yield await placeOf(root, found !== undefined);
  yield await roomAt(root);
}

/** A folder for a disk that is not there lies on the system's own, which then fills up. */
async function placeOf(root: string, exists: boolean): Promise<Finding> {
  if (!(await isOnSystemDisk(root))) return ok('it lies on a file system other than that of /');
  if (await isUnmounted(root)) {
    const what = `nothing is mounted at ${root}: it lies on the disk of the system`;
    const wayOut = `Mount the disk (findmnt shows what is mounted), or set another path.`;
    return exists ? warn(what, wayOut) : fail(what, wayOut);
  }
  return info('it lies on the disk of the system, and is lost with it: have a second destination elsewhere');
}

async function roomAt(root: string): Promise<Finding> {
  const free = await attempt(`asking ${root} for its free space`, () => freeBytesAt(root));
  if (free === undefined) return info('the file system does not tell how much room there is');
  if (free >= littleRoom) return ok(`${formatBytes(free)} are free`);
  return warn(`only ${formatBytes(free)} are free`, 'Free some space, or keep fewer backups (`retention`).');
}
