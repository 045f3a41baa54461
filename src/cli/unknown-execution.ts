import { DbBackupError } from '../errors.ts';
import type { History } from '../history/history.ts';
import { nearest } from '../value/nearest.ts';

/** What to say when no execution has this id: the one that was probably meant, and the newest there are. */
export function unknownExecution(id: string, history: History): DbBackupError {
  const { executions } = history.list({ limit: 100 });
  const length = Math.min(Math.max(id.length, 4), 36);
  const meant = nearest(id, [...new Set(executions.map((each) => each.id.slice(0, length)))]);
  const newest = executions
    .slice(0, 3)
    .map((each) => `${each.id.slice(0, 8)} (${each.kind} ${each.job ?? ''})`.replace(' )', ')'));
  const there = newest.length > 0 ? `The newest are ${newest.join(', ')}; ` : 'None has run here; ';
  const question = meant === undefined ? '' : `Did you mean ${meant}? `;
  return new DbBackupError('USAGE', `no execution "${id}"`, {
    hint: `${question}${there}dbbackup history lists them.`,
  });
}
