/**
 * What runs in `sh` on the other side of a prefix, where our own worker is not: each script is for `sh -c`, with the
 * path as its first argument. Answers are words on stdout, refusals are `dbbackup:word` on stderr.
 * Source: POSIX.1-2017, Shell Command Language; besides that `mktemp -d` and, where they are there, `setsid`, `readlink`
 * and `/proc`. Nothing is put into a shell's text: what differs comes as arguments.
 */

import { guardedFolder } from '../../process/process.ts';

/** `p`: absolute, so that no name can be taken for an option or a URL. By `ls`, because BusyBox's wc reads all of a file. */
const place = `
p=$1; shift; d=
case $p in /*) ;; "~/"*) p=$HOME/\${p#"~/"};; *) p=$PWD/$p;; esac
refuse() { [ -z "$d" ] || rm -rf "$d"; printf 'dbbackup:%s\\n' "$*" >&2; exit 3; }
q() { sqlite3 -batch -init /dev/null "$@"; }
size() { ls -lnL "$1" 2>/dev/null | { read -r a b c d s e || s=0; echo "$s"; }; }
isDatabase() { [ "$(dd if="$1" bs=15 count=1 2>/dev/null)" = 'SQLite format 3' ]; }
`;

/** Two lines: sqlite3's path and version, empty where there is none. */
const program = `
command -v sqlite3 || echo
sqlite3 -version 2>/dev/null || echo
`;

/** More lines: what the path is, bytes of the file, of its -wal, its mode, KiB free for a copy. */
export const lookScript = `${place}${program}
if [ ! -e "$p" ]; then echo missing; elif [ ! -f "$p" ]; then echo special
elif [ ! -r "$p" ]; then echo unreadable; elif [ ! -s "$p" ]; then echo empty
elif isDatabase "$p"; then echo database; else echo foreign; fi
size "$p"
size "$p-wal"
od -An -tu1 -j18 -N1 "$p" 2>/dev/null || echo
df -Pk "\${TMPDIR:-/tmp}" 2>/dev/null | tail -n 1 | { read -r a b c free e; echo "$free"; }`;

/** Becomes sqlite3, at the file. */
export const sqlite3Script = `${place}
exec sqlite3 "$@" "$p"`;

/** `$1`, `$2`: what sqlite3 is told to make the copy, and to tell of it. Writes that, and behind it the copy. */
export const copyScript = `${place}${guardedFolder}
guardedFolder "\${TMPDIR:-/tmp}/dbbackup-XXXXXX"
printf %s "$1" | q -readonly "$p" >/dev/null || exit 1
printf %s "$2" | q copy.sqlite || exit 1
exec 5<copy.sqlite && rm -f copy.sqlite*
cat <&5 || exit 1
rm -rf "$d"`;

/** Sets `t` to what is at the path, and `o` to the processes that have it open. */
const lookAtTarget = `
[ -L "$p" ] && [ -e "$p" ] && p=$(readlink -f "$p")
lookAtTarget() {
  t=new; o=
  if [ -L "$p" ] && [ ! -e "$p" ]; then t=dangling
  elif [ -e "$p" ]; then
    if [ ! -f "$p" ]; then t=foreign
    elif [ ! -s "$p" ]; then t=empty
    elif isDatabase "$p"; then t=database; else t=foreign; fi
    [ -w "$p" ] || t=readonly
  fi
  [ -d "\${p%/*}/" ] || t=nofolder
  [ "$t" = nofolder ] || [ -w "\${p%/*}/" ] || t=readonly
  for s in -journal -wal -shm; do [ ! -e "$p$s" ] || case $t in new|empty) t=leftovers;; esac; done
  for f in /proc/[0-9]*/fd/*; do
    [ "$f" -ef "$p" ] 2>/dev/null && { f=\${f#/proc/}; o="$o \${f%%/*}"; }
  done
  return 0
}
`;

export const targetScript = `${place}${program}${lookAtTarget}
lookAtTarget; printf '%s\\n%s\\n' "$t" "$o"`;

/**
 * The dump on stdin into the target. `$1` format; `$2` what proves that it came whole: its bytes, or the answer to its
 * last statement; `$3` `clean` or nothing; `$4` milliseconds to wait for locks.
 */
export const restoreScript = `${place}${guardedFolder}${lookAtTarget}
agree() {
  lookAtTarget
  [ -z "$o" ] || refuse in-use "process$o has it open"
  case $t in new|empty) ;; database|leftovers) [ "$clean" = clean ] || refuse not-empty;; *) refuse "$t";; esac
}
format=$1 proof=$2 clean=$3 patience=$4
agree
guardedFolder "\${p%/*}/.dbbackup-restore-XXXXXX"
if [ "$format" = sqlite ]; then
  cat >draft.sqlite || exit 1
  [ "$(size draft.sqlite)" = "$proof" ] || refuse cut
else
  said=$(q -safe -bail -cmd 'PRAGMA journal_mode = OFF' -cmd 'PRAGMA synchronous = OFF' draft.sqlite | tail -n 1)
  [ "$said" = "$proof" ] || refuse cut
fi
whole=$(q draft.sqlite 'PRAGMA integrity_check(3)')
[ "$whole" = ok ] || refuse damaged "$whole"
sync
overwrite() {
  mode=$(q "$p" 'PRAGMA journal_mode') || return 1
  printf '.bail on\\n.timeout %s\\nPRAGMA journal_mode = DELETE;\\nBEGIN EXCLUSIVE;\\nROLLBACK;\\n.restore main draft.sqlite\\n' "$patience" |
    q "$p" >/dev/null && return
  [ "$mode" = wal ] && q "$p" 'PRAGMA journal_mode = WAL' >/dev/null
  return 1
}
agree
if [ -e "$p" ]; then overwrite || refuse overwrite
else
  [ "$t" = leftovers ] && rm -f "$p-journal" "$p-wal" "$p-shm"
  if ! ln draft.sqlite "$p" 2>/dev/null; then
    (set -C; : >"$p") || refuse taken
    overwrite || { rm -f "$p"; refuse overwrite; }
  fi
fi
sync
cd / && rm -rf "$d"`;
