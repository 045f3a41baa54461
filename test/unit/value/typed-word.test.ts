import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { typedWord } from '../../../src/value/typed-word.ts';

test.each([
  './backup.yaml',
  'a b',
  "it's",
  '$HOME',
  '~/x',
  '',
  'a"b`c\\',
  'line\nend',
])('%j comes back from a shell', (text) => {
  expect(execFileSync('sh', ['-c', `printf %s ${typedWord(text)}`]).toString()).toBe(text);
});

test('what is plain stays bare', () => {
  expect(typedWord('./secrets/main.key')).toBe('./secrets/main.key');
});
