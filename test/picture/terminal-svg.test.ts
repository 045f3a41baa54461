import { expect, it } from 'vitest';
import { terminalSvg } from './terminal-svg.ts';

const esc = '\u001b';

it('draws every piece in its colour and at its column', () => {
  const screen = `${esc}[32m✓${esc}[39m shop  ${esc}[1m<b>${esc}[0m & ウィキ  end\n`;
  const svg = terminalSvg([{ screen, seconds: 0 }], 'a "title"', 40);
  expect(svg).toContain('aria-label="a &quot;title&quot;"');
  const pieces = [...svg.matchAll(/<text x="([\d.]+)" y="[\d.]+" textLength="([\d.]+)"[^>]*?>([^<]*)</g)];
  expect(pieces.map(([, x, , text]) => [Number(x), text])).toEqual([
    [18, '✓'],
    [34.8, 'shop'],
    [85.2, '&lt;b&gt;'],
    [118.8, '&amp; ウィキ'],
    [202.8, 'end'],
  ]);
  expect(svg).toMatch(/fill="#5cc48d">✓/);
  expect(svg).toMatch(/font-weight="700">&lt;b/);
});

it('shows the last of several screens where nothing moves', () => {
  const frames = ['one', 'two', 'three'].map((screen) => ({ screen, seconds: 1 }));
  const svg = terminalSvg(frames, 'film', 40);
  expect([...svg.matchAll(/<g visibility="(\w+)">/g)].map(([, seen]) => seen)).toEqual(['hidden', 'hidden', 'visible']);
  expect(svg).toContain('values="hidden;visible;hidden" keyTimes="0;0.333;0.667"');
});
