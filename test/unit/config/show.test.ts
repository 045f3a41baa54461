import { expect, test } from 'vitest';
import { showConfig } from '../../../src/config/show.ts';

function shown(options: Record<string, unknown>): unknown {
  const { sources } = showConfig({ sources: { 'token-store': options } }) as Record<string, Record<string, unknown>>;
  return sources?.['token-store'];
}

test.each([
  ['a literal password', { password: 'hunter2' }, { password: '***' }],
  ['a number as a password', { password: 123456 }, { password: '***' }],
  [
    'a nested secret',
    { credentials: { user: 'u', parts: ['a', 'b'] } },
    { credentials: { user: '***', parts: ['***', '***'] } },
  ],
  ['a secret key', { secretAccessKey: 'x', accessKeyId: 'AKIA' }, { secretAccessKey: '***', accessKeyId: 'AKIA' }],
  ['age identities', { identities: ['AGE-SECRET-KEY-1X'] }, { identities: ['***'] }],
  ['the place of a key', { keyFile: './main.key' }, { keyFile: './main.key' }],
  ['a reference', { password: `\${PW}` }, { password: `\${PW}` }],
  ['a reference with a default', { password: `\${PW:-hunter2}` }, { password: `\${PW:-***}` }],
  ['a reference within a secret', { password: `pre\${PW}` }, { password: `***\${PW}` }],
  ['an escaped brace in a secret', { password: `$\${PW}` }, { password: '***' }],
  ['an open reference in a secret', { password: `\${PW` }, { password: '***' }],
  ['a password in a URL', { url: 'pg://u:p@ss@h/d' }, { url: 'pg://u:***@h/d' }],
  ['a slash in the password of a URL', { url: 'pg://u:p/ss@h/d' }, { url: 'pg://u:***@h/d' }],
  ['both in the password of a URL', { url: 'pg://u:p@s/s@h/d' }, { url: 'pg://u:***@h/d' }],
  ['a slash at the beginning of it', { url: 'pg://u:/ss@h/d' }, { url: 'pg://u:***@h/d' }],
  ['an @ in the user of a URL', { url: 'mysql://u@srv:p@h/d' }, { url: 'mysql://u@srv:***@h/d' }],
  [
    'an @ behind a reference in a URL',
    { url: `pg://u:\${PW}@h/d?application_name=a@b` },
    { url: `pg://u:\${PW}@h/d?application_name=a@b` },
  ],
  ['a URL without a password', { url: 'http://h:9000/a/b' }, { url: 'http://h:9000/a/b' }],
  ['a reference in a URL', { url: `pg://u:\${PW}@h/d` }, { url: `pg://u:\${PW}@h/d` }],
  ['a default in a URL', { url: `pg://u:\${PW:-x}@\${H:-h}/d` }, { url: `pg://u:\${PW:-***}@\${H:-***}/d` }],
  ['a URL as a default', { url: `\${URL:-pg://u:p@h/d}` }, { url: `\${URL:-***}` }],
  ['a password in a query', { url: 'pg://h/d?user=u&password=p' }, { url: 'pg://h/d?user=u&password=***' }],
  ['a connection string', { dsn: "host=h password='a b' port=1" }, { dsn: 'host=h password=*** port=1' }],
  ['a plain default', { host: `\${HOST:-localhost}`, port: 5432 }, { host: `\${HOST:-localhost}`, port: 5432 }],
])('%s', (_, options, expected) => expect(shown(options)).toEqual(expected));

test('the URLs, headers and topics of channels are secrets', () => {
  const channel = {
    url: 'https://hooks.example.org/T1/x',
    successUrl: `https://host/\${UUID}`,
    headers: { 'X-Team': 'ops', 'Content-Type': 'text/plain' },
    topic: 'backups',
    server: 'https://ntfy.sh',
  };
  expect(showConfig({ notifications: { ops: channel } })).toEqual({
    notifications: {
      ops: {
        url: '***',
        successUrl: `***\${UUID}`,
        headers: { 'X-Team': '***', 'Content-Type': 'text/plain' },
        topic: '***',
        server: 'https://ntfy.sh',
      },
    },
  });
});

test('names of adapters and the fields of jobs stay', () => {
  const raw = {
    jobs: { 'key-job': { source: 'token-store', tables: { exclude: ['sessions'] } } },
    state: { dir: './s' },
  };
  expect(showConfig(raw)).toEqual(raw);
});

test('the signing key is hidden, the trusted ones are not', () => {
  const trust = ['ed25519-public:x'];
  expect(showConfig({ signing: { key: 'ed25519-secret:x', trust } })).toEqual({ signing: { key: '***', trust } });
  expect(showConfig({ signing: { key: `\${file:./sign.key}` } })).toEqual({ signing: { key: `\${file:./sign.key}` } });
});
