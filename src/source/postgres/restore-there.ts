import { randomUUID } from 'node:crypto';
import { Transform } from 'node:stream';
import { guardedFolder, type ProgramSpec } from '../../process/process.ts';

/** `$1`: what proves that the dump has come whole, as its last word; then the program and its arguments. */
const script = `${guardedFolder}
proof=$1; shift
guardedFolder "\${TMPDIR:-/tmp}/dbbackup-XXXXXX"
cat >dump || exit 1
[ "$(tail -c \${#proof} dump)" = "$proof" ] || { echo 'the dump did not arrive whole' >&2; exit 1; }
dd if=/dev/null of=dump bs=1 seek=$(($(wc -c <dump) - \${#proof})) 2>/dev/null || exit 1
"$@" dump; code=$?
rm -rf "$d"; exit $code`;

/**
 * `spec`, a pg_restore that reads from stdin, as one that has the dump in a file where the prefix leads, for what it does
 * from files only. A line that breaks looks there like the end of the dump: it starts only after a last word of ours,
 * which `ending` says when all has been verified here.
 */
export function fromFileThere(spec: ProgramSpec): { spec: ProgramSpec; ending: Transform } {
  const proof = `dbbackup-${randomUUID()}`;
  const args = ['-c', script, 'sh', proof, spec.command, ...spec.args];
  const ending = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, chunk),
    flush: (done) => done(null, proof),
  });
  return { spec: { ...spec, command: 'sh', args, name: 'pg_restore' }, ending };
}
