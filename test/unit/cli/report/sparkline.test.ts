import { expect, it } from 'vitest';
import { sparkline } from '../../../../src/cli/report/sparkline.ts';

it('begins at zero, ends at the largest value, and leaves gaps empty', () => {
  expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8])).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline([90, 95, 100])).toBe('███');
  expect(sparkline([50, undefined, 100])).toBe('▄ █');
  expect(sparkline([0, 100])).toBe('▁█');
});

it('stands low where everything is zero, and is nothing of nothing', () => {
  expect(sparkline([0, 0])).toBe('▁▁');
  expect(sparkline([undefined])).toBe(' ');
  expect(sparkline([])).toBe('');
});
