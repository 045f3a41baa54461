/**
 * For scripts that run behind a prefix: the shell function `guardedFolder`, which makes a private folder `d` from the
 * template `$1` and goes there. It is gone when this shell and all that it has started are, however they end: its
 * removal waits for the last of them to close a pipe, and is itself no part of the run that may be killed.
 * Needs `mktemp -d` and `mkfifo` there; `setsid` keeps it out of a group that is killed here, as behind sudo.
 */

/**
 * `$1` the template, `$2` the shell's process. Makes the folder itself, so that there is none without somebody to remove
 * it; a shell that is killed before it has said through the pipe that it is there is missed within a second. From then on the
 * end of the pipe tells.
 */
const guard = `trap "" HUP INT TERM PIPE
d=$(mktemp -d "$1") || exit 1
mkfifo "$d/alive" || { rm -rf "$d"; exit 1; }
printf %s "$d"
exec >/dev/null 2>&1
{ while kill -0 "$2"; do sleep 1; done; : >"$d/alive"; } &
{ read -r x; kill -9 $!; read -r x; } <"$d/alive"
rm -rf "$d"`;

export const guardedFolder = `
guardedFolder() {
  umask 077
  d=$(DBBACKUP_RUN= $(command -v setsid) sh -c '${guard}' sh "$1" $$ </dev/null &)
  [ -n "$d" ] && exec 9>"$d/alive" && echo >&9 && cd "$d" || exit 1
}
`;
