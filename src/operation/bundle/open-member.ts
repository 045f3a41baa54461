import type { Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import type { MemberSum } from '../../pipeline/bundle/manifest.ts';
import { GeneratedStream } from '../../pipeline/generated-stream.ts';
import type { SidecarMember } from '../../sidecar/sidecar.ts';
import { choiceHint } from '../choice-hint.ts';
import { drain, openMembers } from './check-bundle.ts';

export interface OpenMember {
  /** Ends when its bytes are those that the sidecar records; without one, when the whole bundle has proved whole. */
  readonly stream: Readable;
  /** Call after the end. */
  sum(): Pick<MemberSum, 'bytes' | 'sha256'>;
}

/** The dump of one database out of a bundle. Its stream errors with USAGE where there is no such database. */
export function openMember(
  bundle: Readable,
  database: string,
  recorded: readonly SidecarMember[] | undefined,
): OpenMember {
  let found: MemberSum | undefined;
  const stream = new GeneratedStream(async function* (signal) {
    signal.addEventListener('abort', () => bundle.destroy(signal.reason), { once: true });
    const reader = await openMembers(bundle, recorded);
    const databases = reader.manifest.members.filter(({ kind }) => kind === 'database');
    const wanted = databases.find(({ name }) => name === database);
    if (wanted === undefined) throw unknown(database, databases);
    for await (const member of reader.members(recorded)) {
      if (member.folder === wanted.folder) yield* member.stream;
      else await drain(member.stream);
      found = reader.sums.find(({ folder }) => folder === wanted.folder);
      if (found && recorded) break;
    }
    bundle.destroy();
  });
  return {
    stream,
    sum: () => {
      if (found === undefined) throw new DbBackupError('UNEXPECTED', `${database} was asked for before its end`);
      return { bytes: found.bytes, sha256: found.sha256 };
    },
  };
}

function unknown(database: string, known: readonly { readonly name: string }[]): DbBackupError {
  const hint = choiceHint(
    database,
    known.map(({ name }) => name),
  );
  return new DbBackupError('USAGE', `the bundle holds no database ${database}`, { hint });
}
