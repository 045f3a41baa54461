/** Passwords of generators are often base64, and pasted with their slashes as they are. */
import { expect, test } from 'vitest';
import { messageOf } from '../../../src/errors.ts';
import { redact } from '../../../src/redact.ts';
import { connectionParameters as mysql } from '../../../src/source/mysql/options.ts';
import { connectionParameters as postgres } from '../../../src/source/postgres/options.ts';
import { connectionParameters as redis } from '../../../src/source/redis/options.ts';

const kinds = { redis, postgres, mysql };

function refusal(kind: keyof typeof kinds, rest: string): string {
  try {
    kinds[kind]({ url: `${kind}://${rest}` });
  } catch (error) {
    return messageOf(error);
  }
  throw new Error(`${kind}://${rest} was taken`);
}

test.each(Object.keys(kinds) as (keyof typeof kinds)[])('%s', (kind) => {
  const places = [
    'u:x/canary@h',
    'u:x@y/canary@h/0',
    'u:1/canary@h',
    ':/canary@h',
    'u@srv:canary/x@h',
    'u:x/y?canary=1@h',
  ];
  for (const rest of [...places, 'u:1/2?canary=1@h', 'u:canary']) {
    const message = refusal(kind, rest);
    expect(message).toMatch(/cannot read the URL/);
    expect(message).not.toContain('canary');
  }
  refusal(kind, `u:regist/ered-${kind}@h`);
  expect(redact(`the tool said regist/ered-${kind}`)).toBe('the tool said ***');
  expect(refusal(kind, 'h:1/%zz')).toContain(`${kind}://h:1/%zz`);
});
