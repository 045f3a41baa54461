import { describe, expect, test } from 'vitest';
import { parseConfigDocument } from '../../../src/config/document.ts';

const canary = 'hunter2-canary';

describe('parseConfigDocument', () => {
  test('knows the line of a key, an item, and of the parent of what is missing', () => {
    const { lineOf } = parseConfigDocument('# note\njobs:\n  shop:\n    destinations:\n      - disk\n      - far\n');
    expect(lineOf([])).toBe(2);
    expect(lineOf(['jobs', 'shop'])).toBe(3);
    expect(lineOf(['jobs', 'shop', 'destinations', 1])).toBe(6);
    expect(lineOf(['jobs', 'shop', 'source'])).toBe(3);
  });

  test('reads JSON', () => {
    expect(parseConfigDocument('{\n\t"jobs": {"a": {"enabled": true}}\n}').raw).toEqual({
      jobs: { a: { enabled: true } },
    });
  });

  test('reads YAML 1.2: yes is text, keys are text, anchors work', () => {
    const { raw } = parseConfigDocument('a: &x { b: yes }\nc: *x\n1: on\n');
    expect(raw).toEqual({ a: { b: 'yes' }, c: { b: 'yes' }, '1': 'on' });
  });

  test.each([
    ['duplicate key', `a: 1\nb: 2\na: ${canary}\n`, 3, 'stands here twice'],
    ['open quote', `a: 1\nb: "${canary}\n`, 3, 'is missing'],
    ['alias that names nothing', `a: 1\nb: *${canary}\n`, undefined, 'alias'],
    ['tag', `a: 1\nb: !${canary} x\n`, 2, 'tag'],
    ['reserved character', `a: 1\nb: @${canary}\n`, 2, 'quotes'],
    ['unknown escape', `a: 1\nb: "\\q${canary}"\n`, 2, 'escape'],
    ['tab', `a:\n\tb: ${canary}\n`, 2, ''],
    ['second document', `a: 1\n---\nb: ${canary}\n`, undefined, 'second document'],
    ['two colons', `a: 1\nb: ${canary}: x\n`, 2, ''],
  ])('refuses a %s with its line, without quoting the file', (_, text, line, words) => {
    const { problems, raw } = parseConfigDocument(text);
    expect(raw).toBeUndefined();
    expect(problems.length).toBeGreaterThan(0);
    if (line !== undefined) expect(problems[0]?.line).toBe(line);
    expect(problems[0]?.message).toContain(words);
    expect(JSON.stringify(problems)).not.toContain(canary);
  });

  test('refuses an alias bomb', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`);
    const { raw, problems } = parseConfigDocument(`l0: &l0 [x, x]\n${levels.join('\n')}\n`);
    expect(raw).toBeUndefined();
    expect(problems).toEqual([{ path: '', message: 'too many aliases' }]);
  });
});
