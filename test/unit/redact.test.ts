import { expect, test } from 'vitest';
import { redact } from '../../src/redact.ts';

test.each([
  ['at redis://u:can/ary@h:1/0, says it', 'at redis://u:***@h:1/0, says it'],
  ['redis://:can/ary@h', 'redis://:***@h'],
  ['redis://u:/can@ary/x@h', 'redis://u:***@h'],
  ['mysql://u@server:canary@h/d', 'mysql://u@server:***@h/d'],
  ['postgres://u:@h/d', 'postgres://u:@h/d'],
  ['see http://h:9000/bucket and me@example.org', 'see http://h:9000/bucket and me@example.org'],
  ['sftp://u@h:22/folder', 'sftp://u@h:22/folder'],
])('%s', (text, expected) => expect(redact(text)).toBe(expected));

test('JSON stays JSON', () => {
  const value = { url: 'http://h:9000/bucket', to: 'me@example.org' };
  expect(JSON.parse(redact(JSON.stringify(value)))).toEqual(value);
});
