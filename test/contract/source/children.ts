import { execFileSync } from 'node:child_process';

/** Process ids of our direct children that are alive. Those of a test's servers belong to the servers. */
export function children(): ReadonlySet<number> {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,comm='], { encoding: 'utf8' }).trim().split('\n');
  const rows = lines.map((line) => line.trim().split(/\s+/));
  const ours = rows.filter(([, parent, state, name]) => {
    return Number(parent) === process.pid && !state?.startsWith('Z') && name !== 'ps';
  });
  return new Set(ours.map(([pid]) => Number(pid)));
}

/** The children that were not there before. */
export function newChildren(before: ReadonlySet<number>): readonly number[] {
  return [...children()].filter((pid) => !before.has(pid));
}
