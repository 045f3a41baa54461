import { describe, expect, it } from 'vitest';
import { filesOptions, optionsFromTarget } from '../../../../src/source/files/options.ts';
import { Selection } from '../../../../src/source/files/selection.ts';

describe('a --to argument', () => {
  it.each([
    ['./data', { path: './data' }],
    ['files:data', { path: 'data' }],
    ['files:/srv/a?b', { path: '/srv/a?b' }],
    ['files:///srv/a%20b', { path: '/srv/a b' }],
    ['files:///srv/app?outsideLinks=true&setuid=true', { path: '/srv/app', outsideLinks: true, setuid: true }],
  ])('%s is a folder', (target, options) => {
    expect(optionsFromTarget(target)).toEqual(options);
  });

  it.each(['postgres://host/shop', 'sqlite:shop.db', ''])('%s belongs to others', (target) => {
    expect(optionsFromTarget(target)).toBeUndefined();
  });

  it.each(['files://host/data', 'files:///srv?colour=true'])('%s is refused', (target) => {
    expect(() => optionsFromTarget(target)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

it('refuses what it does not know', () => {
  for (const options of [{}, { path: '' }, { path: 'x', include: [] }, { path: 'x', exclude: 'y' }, { path: 'a\0b' }]) {
    expect(filesOptions.safeParse(options).success).toBe(false);
  }
});

it('selects as .gitignore does, and remembers no more than it must', () => {
  const selection = new Selection({ exclude: ['*.log', '/cache/', '!keep.log'], include: ['docs', '*.txt'] });
  const excludes = (path: string, isFolder = false) => selection.excludes(Buffer.from(path), isFolder);
  const includes = (path: string, isFolder = false) => selection.includes(Buffer.from(path), isFolder);
  for (let round = 0; round < 10_001; round += 1) expect(excludes(`${round}.log`)).toBe(true);
  expect([excludes('cache', true), excludes('a/cache', true), excludes('a/keep.log')]).toEqual([true, false, false]);
  expect([includes('docs/a/b'), includes('a/b.txt'), includes('a/b')]).toEqual([true, true, false]);
});
