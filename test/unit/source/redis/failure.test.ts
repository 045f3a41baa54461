import { describe, expect, test } from 'vitest';
import { ProgramFailure } from '../../../../src/process/process.ts';
import { explain } from '../../../../src/source/redis/failure.ts';

const sync = 'sending REPLCONF capa eof\nsending REPLCONF rdb-only 1\n';

describe('what the client says', () => {
  test.each([
    [`${sync}SYNC with master failed: -NOPERM this user has no permissions`, 'SOURCE_FAILED', '+sync', false],
    ['AUTH failed: WRONGPASS invalid username-password pair', 'AUTHENTICATION_FAILED', 'REDISCLI_AUTH', false],
    ['Could not connect to Redis at 127.0.0.1:1: Connection refused', 'SOURCE_FAILED', 'rediss://', true],
    ['SYNC with master failed: -LOADING Redis is loading the dataset in memory', 'SOURCE_FAILED', 'try again', true],
    [`${sync}I/O Error reading RDB payload from socket`, 'SOURCE_FAILED', 'rediss://', true],
    ['no such luck', 'TOOL_FAILED', undefined, false],
  ])('%s', (said, code, hint, retryable) => {
    const failure = new ProgramFailure('TOOL_FAILED', 'redis-cli exited with code 1', said);
    const error = explain(failure, 'the dump of redis://cache');
    expect(error).toMatchObject({
      code,
      retryable,
      hint: hint === undefined ? undefined : expect.stringContaining(hint),
    });
    expect(error.message).toMatch(/^the dump of redis:\/\/cache failed: redis-cli exited with code 1/);
    // Its progress is no reason.
    expect(error.message).not.toContain('REPLCONF');
  });

  test('silence has a way out, too', () => {
    const error = explain(new ProgramFailure('TIMEOUT', 'redis-cli did not end within 30 s'), 'a query');
    expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true, hint: expect.stringContaining('TLS') });
  });
});
