import { describe, expect, test } from 'vitest';
import {
  answerOfValue,
  pathInConfig,
  splitPassword,
  unsplittable,
  valueOfAnswer,
} from '../../../../src/cli/wizard/answer.ts';

const here = { working: '/srv/shop', config: '/srv/shop' };

describe('answers', () => {
  test.each([
    ['postgres://u:p@h/d', 'postgres://u@h/d', 'p'],
    ['postgres://u:a%3Ab%40c%25@h:5432/d?sslmode=require', 'postgres://u@h:5432/d?sslmode=require', 'a:b@c%'],
    ['mysql://u:p@ss@h/d', 'mysql://u@h/d', 'p@ss'],
    ['postgres://u:100%@h/d', 'postgres://u@h/d', '100%'],
    ['redis://:p@h/0', 'redis://h/0', 'p'],
    ['postgres://u@h/d?password=a%20b&sslmode=require', 'postgres://u@h/d?sslmode=require', 'a b'],
    ['postgres://u@h/d?sslmode=require&password=x', 'postgres://u@h/d?sslmode=require', 'x'],
    ['postgres://u@h/d?password=x', 'postgres://u@h/d', 'x'],
    ['postgres://u:@h/d', 'postgres://u@h/d', ''],
  ])('takes the password out of %s', (given, url, password) => {
    expect(splitPassword(given)).toEqual({ url, password });
  });

  const whole = [
    'postgres://u@h/d',
    '$' + '{DATABASE_URL}',
    'postgres://u:$' + '{PW}@h/d',
    'postgres://h:5432/d',
    'postgres:///d',
  ];
  test.each(whole)('leaves %s as it is', (url) => {
    expect(splitPassword(url)).toBeUndefined();
  });

  test.each([
    'redis://u:a/b@h',
    'redis://:/b@h',
    'mysql://u:a@b/c@h/d',
    'postgres://u:1/b@h',
    'mysql://u:a/b?c=d@h',
  ])('refuses %s, whose password it cannot find', (url) => expect(unsplittable(url)).toMatch(/write \/ in it as %2F/));

  test.each([
    ...whole,
    'postgres://u:p@ss@h:5432/d?user=a@b',
    'postgres://u:$' + '{file:./pw}@h/d',
    'redis://[::1]:1/0',
  ])('can split %s', (url) => expect(unsplittable(url)).toBeUndefined());

  test.each([
    ['./a', '/srv/shop', './a'],
    ['a', '/srv', './shop/a'],
    ['../a', '/srv', './a'],
    ['a', '/etc/dbbackup', '/srv/shop/a'],
    ['/a', '/etc', '/a'],
    ['~/a', '/etc', '~/a'],
    ['$' + '{A}/b', '/etc', '$' + '{A}/b'],
  ])('the path %s, for a config in %s, is %s', (path, config, expected) => {
    expect(pathInConfig(path, { ...here, config })).toBe(expected);
  });

  test.each([
    ['number', '5432', 5432],
    ['number', 'x', 'x'],
    ['words', "sh -c 'a | b'", ['sh', '-c', 'a | b']],
    ['patterns', '*.tmp, /cache/ ,', ['*.tmp', '/cache/']],
    ['text', '5432', '5432'],
  ] as const)('as %s, %j is %j', (kind, text, value) => {
    expect(valueOfAnswer(kind, text, here)).toEqual(value);
  });

  test.each([
    ['words', ['sh', '-c', 'a | b']],
    ['words', ["it's", '']],
    ['patterns', ['*.tmp', 'a b']],
    ['number', 5],
    ['text', 'a b'],
  ] as const)('as %s, %j is shown as it may be typed again', (kind, value) => {
    expect(valueOfAnswer(kind, answerOfValue(value, kind) ?? '', here)).toEqual(value);
  });
});
