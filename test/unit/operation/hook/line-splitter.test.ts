import { expect, test } from 'vitest';
import { LineSplitter } from '../../../../src/operation/hook/line-splitter.ts';

function linesOf(...chunks: readonly (string | Buffer)[]): readonly string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.add(Buffer.from(chunk));
  splitter.end();
  return lines;
}

test.each([
  [['a\nb\n'], ['a', 'b']],
  [
    ['a', 'b\nc'],
    ['ab', 'c'],
  ],
  [
    ['a\r\n', '\n\n', ' b \n'],
    ['a', ' b'],
  ],
  [[], []],
])('%j', (chunks, lines) => expect(linesOf(...chunks)).toEqual(lines));

test('a character cut between chunks stays whole', () => {
  const bytes = Buffer.from('€uro\n');
  expect(linesOf(bytes.subarray(0, 1), bytes.subarray(1))).toEqual(['€uro']);
});

test('of an endless line the beginning is kept, and the next one begins anew', () => {
  const [first, second] = linesOf(...Array.from({ length: 100 }, () => 'x'.repeat(10_000)), '\nnext\n');
  expect(first).toHaveLength(64 * 1024);
  expect(second).toBe('next');
});
