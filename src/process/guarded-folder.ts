/**
 * For scripts that run behind a prefix: the shell function `guardedFolder`, which makes a private folder `d` from the
 * template `$1` and goes there. It is gone when this shell and all that it has started are, however they end: its
 * removal waits for the last of them to close a pipe, and is itself no part of the run that may be killed.
 * Needs `mktemp -d` and `mkfifo` there; `setsid` keeps it out of a group that is killed here, as behind sudo.
 */
export const guardedFolder = `
guardedFolder() {
  umask 077
  d=$(mktemp -d "$1") || exit 1
  mkfifo "$d/alive" && exec 9<>"$d/alive" || exit 1
  DBBACKUP_RUN= $(command -v setsid) sh -c 'trap "" HUP INT TERM; read -r x; rm -rf "$1"' sh "$d" \\
    <"$d/alive" >/dev/null 2>&1 9>&- &
  cd "$d" || exit 1
}
`;
