import { describe, expect, it } from 'vitest';
import { cutText, padText, textWidth, wrapText } from '../../../src/cli/text-width.ts';

describe('the width of a text on a terminal', () => {
  it.each([
    ['', 0],
    ['shop', 4],
    ['über', 4],
    ['u\u0308ber', 4],
    ['магазин', 7],
    ['ウィキ', 6],
    ['数据库', 6],
    ['데이터', 6],
    ['ﾃﾞ', 1],
    ['Ａ', 2],
    ['👍', 2],
    ['👨‍👩‍👧', 2],
    ['a\u200bb', 2],
    ['\u001b[31mred\u001b[39m', 3],
  ])('%j takes %i cells', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  it('is what is filled and cut to', () => {
    expect(padText('ウィキ', 8)).toBe('ウィキ  ');
    expect(cutText('ウィキのデータベース', 7)).toBe('ウィキ…');
    expect(cutText('ウィキのデータベース', 8)).toBe('ウィキ…');
    expect(textWidth(cutText('ウィキのデータベース', 8))).toBeLessThanOrEqual(8);
    expect(cutText('shop', 4)).toBe('shop');
    expect(cutText('shops', 4)).toBe('sho…');
  });

  it('is what lines are wrapped at; long words are broken, nothing is lost', () => {
    expect(wrapText('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrapText('', 7)).toEqual(['']);
    expect(wrapText('データベースの名前', 7)).toEqual(['データ', 'ベース', 'の名前']);
    const text = 'upload of wiki/wiki_2026-11-20T03-00-00-123Z_4f9c01.sqlite.zst failed';
    const lines = wrapText(text, 20);
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(20);
    expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
  });
});
