import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { candidates, nameOf, yamlOf } from '../../../../src/operation/tune/candidate.ts';
import { checkLevel, codecs } from '../../../../src/pipeline/compression/all.ts';

describe('candidates', () => {
  test('are of every codec, at levels that it has, and hold what the job has now', () => {
    const all = candidates({ type: 'zstd', level: 17 }, []);
    expect(new Set(all.map(({ type }) => type))).toEqual(new Set(Object.keys(codecs)));
    for (const { type, level } of all) expect(checkLevel(type, level)).toBeUndefined();
    expect(all).toContainEqual({ type: 'zstd', level: 17 });
  });

  test('of one codec are all of its levels, and what the job has now', () => {
    expect(candidates({ type: 'zstd', level: 3 }, ['gzip']).map(nameOf)).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((level) => `gzip ${level}`),
      'zstd 3',
    ]);
  });

  test('give a line that the config understands', () => {
    expect(parse(yamlOf({ type: 'none', level: 0 }))).toEqual({ compression: 'none' });
    expect(parse(yamlOf({ type: 'brotli', level: 6 }))).toEqual({ compression: { type: 'brotli', level: 6 } });
  });
});
