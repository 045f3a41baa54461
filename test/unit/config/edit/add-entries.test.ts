import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfigDocument } from '../../../../src/config/document.ts';
import { addEntries } from '../../../../src/config/edit/add-entries.ts';
import type { Entry } from '../../../../src/config/edit/entry.ts';

const comments = { sources: 'what', destinations: 'where to', encryption: 'who reads', jobs: 'which\nhow' };
const job: Entry = {
  section: 'jobs',
  name: 'new',
  fields: [
    { key: 'source', value: 'shop' },
    { key: 'destinations', value: ['disk', 'nas'] },
    { key: 'retention', value: { daily: 7 }, above: 'what stays', comment: 'days' },
  ],
  notes: ['notify: ops'],
};
const source: Entry = {
  section: 'sources',
  name: 'new',
  fields: [{ key: 'url', value: '$' + '{DATABASE_URL}' }],
  notes: [],
};

/** Every line that was there is there, in its order. */
function keepsEveryLine(before: string, after: string): boolean {
  const lines = after.split('\n');
  let at = -1;
  return before.split('\n').every((line) => {
    at = lines.indexOf(line, at + 1);
    return at !== -1;
  });
}

const layouts: readonly (readonly [string, string])[] = [
  ['two spaces', 'sources:\n  a: { type: x }\njobs:\n  one:\n    source: a\n    destinations: d\n'],
  [
    'four spaces',
    'jobs:\n    one:\n        source: a\n        tables:\n            exclude:\n                - b\n                - c\n',
  ],
  [
    'comments everywhere',
    '# head\njobs: # here\n  # of one\n  one: # it\n    source: a # a\n    # schedule: none\n\n  # two: { source: a }\n\n# --- state ---\nstate:\n  dir: ./s\n',
  ],
  ['entries set apart', 'jobs:\n  one:\n    source: a\n\n  two:\n    source: b\n\n\nstate: { dir: ./s }\n'],
  ['no line end', 'jobs:\n  one: { source: a }'],
  ['a text of many lines last', 'jobs:\n  one:\n    description: |\n      some\n      words\nmaxConcurrentJobs: 2\n'],
  ['a folded text at the end', 'jobs:\n  one:\n    description: >-\n      some\n\n      words\n\n\n# end\n'],
  ['an unfinished value', 'jobs:\n  one:\n    source:\n'],
  ['an empty section', 'jobs: # none yet\nstate: { dir: ./s }\n'],
  ['braces', 'jobs: { one: { source: a } }\n'],
  ['empty braces', 'jobs: {}\n'],
  ['braces over lines', 'jobs: {\n  one: { source: a },\n  two: { source: b },\n}\n'],
  ['everything in braces', '{ sources: { a: { type: x } } }\n'],
  ['JSON', '{\n  "jobs": {\n    "one": {\n      "source": "a"\n    }\n  }\n}\n'],
  ['JSON without jobs', '{"sources":{"a":{"type":"x"}}}'],
  ['comments only', '# nothing yet\n\n# at all\n'],
  ['nothing', ''],
  ['quoted names, quotes, long lines', `jobs:\n  "one":\n    source:   'a'\n    description: ${'word '.repeat(60)}\n`],
  ['Windows line ends', 'jobs:\r\n  one:\r\n    source: a\r\n'],
  ['an anchor', 'jobs:\n  one: &one\n    source: a\n  two:\n    <<: *one\n'],
];

describe('addEntries', () => {
  test.each(layouts)('%s: adds and leaves the rest', (_, before) => {
    const after = addEntries(before, [job], comments);
    const { raw, problems } = parseConfigDocument(after);
    expect(problems).toEqual([]);
    const old = (parseConfigDocument(before).raw ?? {}) as { jobs?: object };
    expect(raw).toEqual({
      ...old,
      jobs: {
        ...old.jobs,
        new: { source: 'shop', destinations: ['disk', 'nas'], retention: { daily: 7 } },
      },
    });
    const stripped = (text: string) => text.replace(/[\s,]/g, '');
    // Byte for byte the old text, with one piece put into it.
    const common = [...before].findIndex((letter, index) => after[index] !== letter);
    const head = before.slice(0, common === -1 ? before.length : common);
    const tail = before.slice(head.length);
    expect(after.startsWith(head)).toBe(true);
    expect(stripped(after).endsWith(stripped(tail))).toBe(true);
    if (!before.includes('{\n')) expect(after.endsWith(tail)).toBe(true);
  });

  test('the entry has the look of its neighbours, comments go where they belong', () => {
    const [, four] = layouts[1] ?? [];
    expect(addEntries(four ?? '', [job], comments)).toBe(
      `${four}    new:\n        source: shop\n        destinations: [disk, nas]\n        # what stays\n        retention: { daily: 7 } # days\n        # notify: ops\n`,
    );
    const [, commented] = layouts[2] ?? [];
    const after = addEntries(commented ?? '', [job], comments);
    expect(after).toContain('  # two: { source: a }\n  new:\n    source: shop\n');
    expect(after).toContain('    # notify: ops\n\n# --- state ---\n');
    const [, apart] = layouts[3] ?? [];
    expect(addEntries(apart ?? '', [job], comments)).toContain('    source: b\n\n  new:\n');
  });

  test('a section that is new comes with its comment', () => {
    expect(addEntries('sources:\n  a: { type: x }\n', [job], comments)).toContain(
      'type: x }\n\n# which\n# how\njobs:\n  new:\n',
    );
  });

  test('several entries at once, and twice over', () => {
    const once = addEntries('', [source, job], comments);
    const twice = addEntries(
      once,
      [
        { ...source, name: 'more' },
        { ...job, name: 'more' },
      ],
      comments,
    );
    expect(parseConfigDocument(twice).raw).toMatchObject({
      sources: { new: { url: '$' + '{DATABASE_URL}' }, more: {} },
      jobs: { new: {}, more: {} },
    });
    expect(keepsEveryLine(once, twice)).toBe(true);
    // What was written below the first job stays with it.
    expect(twice).toContain('    # notify: ops\n  more:\n');
  });

  test('config.example.yaml keeps every line', async () => {
    const text = await readFile(fileURLToPath(new URL('../../../../config.example.yaml', import.meta.url)), 'utf8');
    const after = addEntries(text, [source, job], comments);
    expect(keepsEveryLine(text, after)).toBe(true);
    expect(after.length - text.length).toBeLessThan(300);
  });

  test.each([
    'yes',
    'null',
    '0123',
    '1e3',
    '*',
    '&a',
    '!x',
    '# no',
    'a: b',
    '',
    ' ',
    '- a',
    '"',
    "'",
    '\\',
    'two\nlines',
    '@',
    '%',
    '`',
    '{',
    '[a',
    'a #b',
    '$' + '{X}',
    '\u0007',
    'ü',
    '2026-11-26',
  ])('a value of %j comes back as it was', (value) => {
    const fields = [
      { key: 'v', value },
      { key: 'list', value: [value] },
    ];
    for (const before of ['', 'jobs: { a: { source: b } }\n', '{"jobs":{}}']) {
      const after = addEntries(before, [{ ...job, fields }], comments);
      expect(parseConfigDocument(after).raw).toMatchObject({ jobs: { new: { v: value, list: [value] } } });
    }
  });

  test.each([
    ['an alias', 'jobs: &j\n  a: { source: b }\nother: 1\nsources: *j\n'],
    ['a list', 'sources: [a]\n'],
    ['a document end', 'state: { dir: ./s }\n...\n'],
  ])('refuses %s and shows what to add', (_, before) => {
    expect(() => addEntries(before, [source], comments)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', hint: expect.stringContaining('sources:\n  new:\n') }),
    );
  });

  test('refuses a name that is taken', () => {
    expect(() => addEntries('jobs:\n  new: { source: a }\n', [job], comments)).toThrow(/already has "new"/);
  });

  test('whatever comments and empty lines stand where: the old text, with one piece put into it', () => {
    const noise = fc.constantFrom('', '', '', '# a', '  # b', '    # c', '      # d', '   ');
    const value = fc.constantFrom(
      'x',
      '"a: b"',
      '{ a: [1, 2] }',
      "'#'",
      '[a,\n        b]',
      '|\n      some\n      text',
      '',
    );
    const entry = fc.tuple(fc.stringMatching(/^[a-m][a-z]{0,5}$/), fc.array(value, { minLength: 1, maxLength: 3 }));
    const section = fc.uniqueArray(entry, { minLength: 1, maxLength: 3, selector: ([name]) => name });
    const names = fc.shuffledSubarray(['sources', 'jobs', 'destinations', 'other'] as const);
    const document = fc.tuple(
      names,
      fc.array(section, { minLength: 4, maxLength: 4 }),
      fc.array(noise, { maxLength: 40 }),
    );
    fc.assert(
      fc.property(document, ([sections, contents, noises]) => {
        const between = [...noises];
        const next = () => (between.length > 0 ? `${between.pop()}\n` : '');
        const before = sections
          .map((name, at) => {
            const entries = (contents[at] ?? []).map(([key, values]) => {
              const fields = values.map(
                (each, index) => `    k${index}: ${each}\n${each.startsWith('|') ? '' : next()}`,
              );
              return `  ${key}:\n${next()}${fields.join('')}`;
            });
            return `${name}:\n${next()}${entries.join('')}`;
          })
          .join('');
        const after = addEntries(before, [{ ...job, name: 'new' }], comments);
        const differs = [...before].findIndex((letter, index) => after[index] !== letter);
        const head = differs === -1 ? before.length : differs;
        expect(after.endsWith(before.slice(head))).toBe(true);
        expect(parseConfigDocument(after).raw).toMatchObject({ jobs: { new: { source: 'shop' } } });
      }),
      { numRuns: 300 },
    );
  });
});
