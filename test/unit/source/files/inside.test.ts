import { expect, it } from 'vitest';
import { leadsOutside, partsInside } from '../../../../src/source/files/inside.ts';

it.each(['/a', '..', '../a', 'a/../b', 'a/..', 'a/../../b', '', 'a\0b'])('%j is no name inside', (path) => {
  expect(partsInside(Buffer.from(path))).toBeUndefined();
});

it.each([
  ['.', []],
  ['./a//b/', ['a', 'b']],
  ['..a/...', ['..a', '...']],
])('%j is inside', (path, parts) => {
  expect(partsInside(Buffer.from(path))).toEqual(parts.map((part) => Buffer.from(part)));
});

it.each([
  ['a', '/etc/passwd', true],
  ['a', '..', true],
  ['a/b', '..', false],
  ['a/b', '../c', false],
  ['a/b', '../../c', true],
  ['a', 'b/../../c', true],
  ['a', 'b/../c', true],
  ['a', '/srv/app/x', false],
  ['a', '/srv/app/../x', true],
  ['a', '/srv/application', true],
  ['a', 'anywhere/below', false],
])('a link at %s to %s leads outside: %s', (path, target, outside) => {
  expect(leadsOutside(Buffer.from(path), Buffer.from(target), '/srv/app')).toBe(outside);
});
