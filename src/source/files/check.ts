/** What a backup of this folder needs: that it is there, and that everything in it may be read. */
import { type Finding, fail, info, ok, warn } from '../../finding.ts';
import { formatBytes } from '../../value/figure.ts';
import type { SourceContext } from '../source.ts';
import { openSelection } from './archive.ts';
import { EntryMaker } from './entry.ts';
import { Notes } from './notes.ts';
import { OpenFolder, openFile } from './open-folder.ts';
import type { FilesOptions } from './options.ts';
import { Own } from './own.ts';
import { walk } from './walk.ts';

/** So many names are told; of more only the number is. */
const named = 5;

interface Look {
  entries: number;
  bytes: number;
  readonly unreadable: string[];
  readonly notes: Notes;
}

/** `path`: real. Opens every file, and reads none. */
export async function* checkFiles(
  path: string,
  options: FilesOptions,
  context: SourceContext,
): AsyncGenerator<Finding> {
  const { entries, bytes, unreadable, notes } = await look(path, options, context);
  const all = `${path} holds ${entries} ${entries === 1 ? 'entry' : 'entries'}, ${formatBytes(bytes)} of content`;
  if (entries === 0) {
    yield fail(
      `there is nothing to back up in ${path}`,
      'Correct "path", "include" and "exclude". Is its disk mounted?',
    );
  } else yield ok(all);
  if (unreadable.length > 0) {
    yield fail(
      `this user may not read ${some(unreadable)}, at which a run fails`,
      'Run dbbackup as a user who may read it, or leave it out with "exclude".',
    );
  }
  const { outside = [], skipped = [], own = [], secret = [] } = notes.properties();
  if (outside.length > 0) {
    yield warn(
      `links lead out of the folder, and a restore refuses them: ${some(outside)}`,
      'If they are meant, say "outsideLinks: true".',
    );
  }
  if (own.length > 0) {
    yield warn(
      `folders of dbbackup itself (backups or its state) are left out: ${some(own)}`,
      'Say so with "exclude", or store backups outside of this folder.',
    );
  }
  if (secret.length > 0) {
    yield warn(
      `keys or secrets of the config would be stored unencrypted: ${some(secret)}`,
      'Leave them out with "exclude", or add `encryption` to the job.',
    );
  }
  if (skipped.length > 0) yield info(`sockets, pipes and devices are left out: ${some(skipped)}`);
}

async function look(path: string, options: FilesOptions, { own, signal }: SourceContext): Promise<Look> {
  const how = { selection: await openSelection(options), own: new Own(path, own), signal };
  const seen: Look = { entries: 0, bytes: 0, unreadable: [], notes: new Notes() };
  const maker = new EntryMaker(path, options.outsideLinks !== true, seen.notes);
  const root = await OpenFolder.open(Buffer.from(path));
  try {
    for await (const found of walk(root, { ...how, notes: seen.notes })) {
      const entry = await maker.make(found);
      if (entry === undefined) continue;
      seen.entries += 1;
      seen.bytes += entry.size;
      if (entry.type === 'file' && !(await isReadable(found.at))) seen.unreadable.push(found.path.toString('utf8'));
    }
  } finally {
    await root.close();
  }
  return seen;
}

/** What has vanished in between is not missing. */
async function isReadable(at: Buffer): Promise<boolean> {
  try {
    await (await openFile(at)).close();
    return true;
  } catch (error) {
    return !['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

function some(names: readonly string[]): string {
  const more = names.length > named ? ` and ${names.length - named} more` : '';
  return `${names.slice(0, named).join(', ')}${more}`;
}
