import { expect, test } from 'vitest';
import { splitWords } from '../../../src/config/words.ts';

test.each([
  ['pass show db', ['pass', 'show', 'db']],
  ['  a\tb \n', ['a', 'b']],
  [`sh -c 'a | b "c"'`, ['sh', '-c', 'a | b "c"']],
  ['a "b \\" c\\\\ $X \\n"', ['a', 'b " c\\ $X \\n']],
  ['a\\ b c', ['a b', 'c']],
  [`a'b'"c"d`, ['abcd']],
  [`a '' ""`, ['a', '', '']],
  ['a;b && $(c) *', ['a;b', '&&', '$(c)', '*']],
])('%s', (command, words) => expect(splitWords(command)).toEqual(words));

test.each(["a 'b", 'a "b', 'a "b\\"', 'a b\\'])('%s is refused', (command) => {
  expect(() => splitWords(command)).toThrow('not closed');
});
