import type { Stats } from 'node:fs';
import { expect, test } from 'vitest';
import { exposure } from '../../src/secret-file.ts';

const me = 1000;

test.each([
  ['mine alone', 0o600, me, '/k', undefined],
  ['mine, read-only', 0o400, me, '/k', undefined],
  ['mine, for my group', 0o640, me, '/k', 'can be read by its group'],
  ['root’s, for my group', 0o640, 0, '/k', undefined],
  ['for everyone', 0o644, me, '/k', 'can be read by everyone'],
  ['root’s, for everyone', 0o444, 0, '/etc/k', 'can be read by everyone'],
  ['a container’s secret', 0o444, 0, '/run/secrets/db', undefined],
  ['a look-alike of a container’s secret', 0o444, me, '/run/secrets/db', 'can be read by everyone'],
  ['written by everyone', 0o602, me, '/k', 'may be written by others'],
  ['a container’s secret that others write', 0o666, 0, '/run/secrets/db', 'may be written by others'],
])('%s', (_, mode, uid, path, reason) => {
  expect(exposure({ mode: 0o100000 | mode, uid, gid: uid } as Stats, path, me)).toBe(reason);
});
