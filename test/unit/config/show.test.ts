// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of configs
import { expect, test } from 'vitest';
import { literalSecrets, registerLiteralSecrets, showConfig } from '../../../src/config/show.ts';
import { holdsSecret, redact } from '../../../src/redact.ts';

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

test.each([
  ['mongodump --password X', 'mongodump --password ***'],
  ['mongodump --password=X --out -', 'mongodump --password=*** --out -'],
  ['mysqldump -pX shop', 'mysqldump -p*** shop'],
  ['sshpass -p X ssh -p 5432 h', 'sshpass -p *** ssh -p 5432 h'],
  ['curl -u me:X https://h/x', 'curl -u me:*** https://h/x'],
  ['curl --user=me:X https://h/x', 'curl --user=me:*** https://h/x'],
  ['tool --auth-token X --api-key Y', 'tool --auth-token *** --api-key ***'],
  ['tool --password ${PW} --pass-file ./x', 'tool --password ${PW} --pass-file ./x'],
  ['docker exec -i -u postgres db', 'docker exec -i -u postgres db'],
  ['docker run -u 1000:1000 -p 127.0.0.1:80:80 x', 'docker run -u 1000:1000 -p 127.0.0.1:80:80 x'],
  ['mkdir -p /srv/x', 'mkdir -p /srv/x'],
  ['find . -path ./x -print0', 'find . -path ./x -print0'],
  ['pg_dump --no-password shop', 'pg_dump --no-password shop'],
  ['ssh -o BatchMode=yes app.internal', 'ssh -o BatchMode=yes app.internal'],
])('passwords of the command %s, as words, in a hook and in a shell', (command, expected) => {
  expect(shown({ dump: command.split(' '), prefix: ['sh', '-c', command] })).toEqual({
    dump: expected.split(' '),
    prefix: ['sh', '-c', expected],
  });
  const jobs = { shop: { hooks: { before: command, after: [command, command.split(' ')] } } };
  const seen = { shop: { hooks: { before: expected, after: [expected, expected.split(' ')] } } };
  expect(showConfig({ jobs })).toEqual({ jobs: seen });
  expect(literalSecrets({ jobs })).toHaveLength(command === expected ? 0 : command.includes('Y') ? 4 : 3);
});

test('words in quotes, and quotes within quotes', () => {
  const hooks = { before: `sh -c "curl -u 'me:X y' https://h; echo done"`, after: "tool --token 'X y' z" };
  expect(showConfig({ jobs: { shop: { hooks } } })).toEqual({
    jobs: {
      shop: { hooks: { before: `sh -c "curl -u 'me:***' https://h; echo done"`, after: "tool --token '***' z" } },
    },
  });
});

test('variables of programs are hidden under any name, references are not', () => {
  const env = { FOO_AUTH: 'X', MONGO_PW: 'X', NOTE: 'X', PIN: 123456, TZ_PW: 'UTC', SET: '${SET}' };
  const hidden = { FOO_AUTH: '***', MONGO_PW: '***', NOTE: '***', PIN: '***', TZ_PW: '***', SET: '${SET}' };
  expect(shown({ env, environment: env })).toEqual({ env: hidden, environment: hidden });
});

test('but for those that surely are none', () => {
  const env = {
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    HOME: '/x',
    DEBUG: 'true',
    TRIES: 3,
    ZONE: '${ZONE}',
    LANG: '${LANG:-C}',
    ETCDCTL_API: '3',
    ETCDCTL_ENDPOINTS: 'https://10.0.0.1:2379,https://10.0.0.2:2379',
    ETCDCTL_USER: 'root:${ETCD_PASSWORD}',
    RCLONE_CONFIG_NAS_TYPE: 'sftp',
  };
  expect(shown({ env })).toEqual({ env });
  expect(literalSecrets({ sources: { a: { env } } })).toEqual([]);
});

test.each([
  ['DB_USER', 'root:X', '***'],
  ['DB_USER', 'root:${PW:-X}', '***${PW:-***}'],
  ['DB_HOST', 'https://u:X@h', '***'],
  ['DB_ENDPOINT', 'https://hooks.example.org/T1/x', '***'],
  ['DATA_PATH', 'X', '***'],
])('%s is hidden where it holds %s', (name, value, expected) => {
  expect(shown({ env: { [name]: value } })).toEqual({ env: { [name]: expected } });
});

test('passwords among the words of a reference are hidden, the reference itself is not', () => {
  const options = { password: '${exec:vault read --token X db}', url: 'pg://u:${exec:tool -u me:X}@h/d' };
  expect(shown(options)).toEqual({
    password: '${exec:vault read --token *** db}',
    url: 'pg://u:${exec:tool -u me:***}@h/d',
  });
  expect(literalSecrets({ sources: { a: options } })).toHaveLength(2);
});

test.each(['dbPw', 'pwd', 'auth', 'FOO_AUTH', 'cred', 'apiKey', 'passphrase'])('%s is the name of a secret', (name) =>
  expect(shown({ [name]: 'X' })).toEqual({ [name]: '***' }));

test.each(['author', 'httpWait', 'authSource'])('%s is not', (name) =>
  expect(shown({ [name]: 'X' })).toEqual({ [name]: 'X' }));

test('passwords of commands and variables are hidden everywhere, and no program is refused for them', () => {
  const dump = ['tool', '--password', 'quuxword', '-p', 'project', '-u', 'me:hunter2'];
  const env = { NOTE: 'k3yword', OTHER: 'plain', FILE_OF: '/srv/k3y' };
  const jobs = { shop: { hooks: { before: 'tool --token hookword' } } };
  registerLiteralSecrets({ sources: { a: { dump, env, url: '${exec:tool --secret execword}' } }, jobs });
  expect(redact('quuxword project hunter2 k3yword plain /srv/k3y hookword execword')).toBe(
    '*** project *** *** plain /srv/k3y *** ***',
  );
  expect(dump.some(holdsSecret)).toBe(false);
});

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
