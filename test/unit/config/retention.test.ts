import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../src/config/check.ts';
import { parseConfigDocument } from '../../../src/config/document.ts';
import { formatPath } from '../../../src/config/problem.ts';
import { fakeCatalog } from './fake-catalog.ts';

function check(fields: string) {
  const text = `sources: { db: { type: shop, url: 'shop://host/db' } }
destinations: { disk: { type: shelf, path: ./a }, far: { type: cloud, bucket: b } }
jobs: { j: { source: db, ${fields} } }
`;
  const { config, findings } = checkConfig(parseConfigDocument(text).raw, '/c.yaml', '/', fakeCatalog);
  return {
    job: config?.jobs.get('j'),
    problems: findings.map(({ path, message, suggestion }) => `${formatPath(path)}: ${message} -> ${suggestion ?? ''}`),
  };
}

describe('retention of a job', () => {
  test('holds at every destination', () => {
    const { job } = check('destinations: [disk, far], retention: { last: 3, within: 30d, timezone: Europe/Zurich }');
    const rules = { last: 3, withinMs: 30 * 86_400_000, timezone: 'Europe/Zurich' };
    expect([...(job?.retention ?? [])]).toEqual([
      ['disk', rules],
      ['far', rules],
    ]);
  });

  test('gives way to that of a destination', () => {
    const { job } = check('destinations: [disk, { name: far, retention: { yearly: 9 } }], retention: { last: 3 }');
    expect(job?.destinations.map((each) => each.name)).toEqual(['disk', 'far']);
    expect(job?.retention.get('disk')).toMatchObject({ last: 3 });
    expect(job?.retention.get('far')).toMatchObject({ yearly: 9 });
    expect(job?.retention.get('far')?.last).toBeUndefined();
  });

  test('is none where nothing is said', () => {
    expect(check('destinations: disk').job?.retention.size).toBe(0);
    const { job } = check('destinations: { name: far, retention: { last: 1 } }');
    expect([...(job?.retention.keys() ?? [])]).toEqual(['far']);
  });

  test.each([
    ['retention: { daily: 0 }', /^jobs\.j\.retention\.daily: must be a whole number of at least 1; leave it out/],
    ['retention: { last: -7 }', /^jobs\.j\.retention\.last: must be a whole number of at least 1/],
    ['retention: { last: 1, minimum: 0 }', /^jobs\.j\.retention\.minimum: must be a whole number of at least 1/],
    ['retention: { weekly: 1.5 }', /^jobs\.j\.retention\.weekly: must be a whole number/],
    ['retention: { last: "7" }', /^jobs\.j\.retention\.last: must be a number, not text/],
    ['retention: { within: 30 }', /^jobs\.j\.retention\.within: must be a duration with a unit/],
    ['retention: { within: 0d }', /^jobs\.j\.retention\.within: must be a duration .* above zero/],
    ['retention: { last: 1, timezone: Europe/Zürich }', /timezone: is no timezone; .* -> Europe\/Zurich$/],
    ['retention: { minimum: 3 }', /^jobs\.j\.retention: says nothing about what to keep/],
    ['retention: {}', /^jobs\.j\.retention: says nothing about what to keep/],
    ['retention: 7', /^jobs\.j\.retention: must be a map, not a number/],
  ])('F32 %s', (fields, expected) => {
    const { problems } = check(`destinations: disk, ${fields}`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  test.each([
    ['[disk, { name: fra }]', /^jobs\.j\.destinations\[1\]\.name: no destination has this name .* -> far$/],
    ['[{ name: disk, retension: { last: 1 } }]', /^jobs\.j\.destinations\[0\]\.retension: unknown key -> retention$/],
    ['[{ name: disk, retention: { lats: 1 } }]', /^jobs\.j\.destinations\[0\]\.retention\.lats: unknown key -> last$/],
    [
      '[{ name: disk, retention: { last: 0 } }]',
      /^jobs\.j\.destinations\[0\]\.retention\.last: must be a whole number/,
    ],
    ['[disk, { name: disk }]', /^jobs\.j\.destinations: names a destination twice/],
  ])('F32 destinations: %s', (destinations, expected) => {
    const { problems } = check(`destinations: ${destinations}`);
    expect(problems[0]).toMatch(expected);
    expect(problems).toHaveLength(1);
  });
});
