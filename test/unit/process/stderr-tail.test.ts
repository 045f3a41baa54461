import { describe, expect, it } from 'vitest';
import { StderrTail } from '../../../src/process/stderr-tail.ts';
import { registerSecret } from '../../../src/redact.ts';

describe('StderrTail', () => {
  it('keeps everything that is short', () => {
    const tail = new StderrTail();
    tail.add(Buffer.from('one\n'));
    tail.add(Buffer.from('two\n'));
    expect(tail.text()).toBe('one\ntwo');
  });

  it('keeps the last 8 KiB of a flood', () => {
    const tail = new StderrTail();
    for (let i = 0; i < 100_000; i += 1) tail.add(Buffer.from(`line ${i}\n`));
    const text = tail.text();
    expect(text.length).toBeGreaterThan(8000);
    expect(text.length).toBeLessThanOrEqual(8192);
    expect(text.endsWith('line 99998\nline 99999')).toBe(true);
  });

  it('shows no part of a secret, wherever the cut falls', () => {
    const secret = 'canary-'.repeat(20);
    registerSecret(secret);
    for (let shift = 0; shift < 200; shift += 5) {
      const tail = new StderrTail();
      tail.add(Buffer.from(`${'x'.repeat(shift)}\n${`password ${secret} is wrong\n`.repeat(200)}`));
      expect(tail.text()).not.toContain('canary');
    }
  });
});
