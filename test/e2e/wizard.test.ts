/**
 * The wizards on a real terminal: from an empty folder to a first restored backup, with wrong answers, Ctrl-C and a config
 * that exists; and without a terminal, by flags.
 */
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Database } from '../../src/sqlite-library.ts';
import { runInProcess } from '../fault/faulty-app.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { createdDatabase } from '../servers/postgres-source.ts';
import { makeShop } from '../servers/small-shop.ts';
import { filesIn } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';
import { keys, onTerminal } from './pty.ts';

const { enter, down, clear, interrupt, endOfInput } = keys;

/** Sound, and of nobody. */
const recipient = 'age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq';

let place: Workplace;
beforeEach(async () => {
  place = await makeWorkplace();
});
afterEach(() => place.remove());

const config = () => readFile(place.path('dbbackup.yaml'), 'utf8');
const mode = async (...path: string[]) => ((await stat(place.path(...path))).mode & 0o777).toString(8);

function itemsOf(file: string): unknown {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare('SELECT * FROM item ORDER BY id').all();
  } finally {
    database.close();
  }
}

/** The command that the wizard tells next, as a user copies it. */
function toldCommand(shown: string, start: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of the terminal
  const plain = shown.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
  const line = plain.split(/\r?\n/).findLast((each) => each.trim().startsWith(`dbbackup ${start}`));
  return line?.trim().split(' ').slice(1) ?? [];
}

describe('SQLite', () => {
  beforeEach(() => makeShop(place.path('shop.sqlite')));

  test('what lies in the folder is found: Enter all the way to a restored backup', async () => {
    const { ended, answer, shown } = onTerminal(place, 'init');
    await answer(/What do you want to back up[\s\S]*?shop\.sqlite[\s\S]*?select/, enter);
    await answer(/can be read[\s\S]*?Where shall[\s\S]*?select/, enter);
    await answer(/Folder \(made[\s\S]*?backups/, enter);
    await answer(/gives back[\s\S]*?compressed[\s\S]*?select/, enter);
    await answer(/encrypted[\s\S]*?select/, enter);
    await answer(/kept[\s\S]*?minimum=3/, enter);
    await answer(/When shall it run[\s\S]*?0 3 \* \* \*/, enter);
    await answer(/Name of the job[\s\S]*?shop/, enter);
    await answer(/jobs:[\s\S]*?Write .*dbbackup\.yaml\?/, enter);
    await answer(/Run shop now\?/, enter);
    expect(await ended).toBe(0);
    expect(await mode('dbbackup.yaml')).toBe('600');
    expect(await config()).toMatch(/^# dbbackup[\s\S]*?# What is backed up[\s\S]*?path: \.\/shop\.sqlite/);
    expectCode(await place.run(...toldCommand(shown(), 'restore')), 0);
    expect(itemsOf(place.path('restored.sqlite'))).toEqual(itemsOf(place.path('shop.sqlite')));
    expectCode(await place.run('config', 'validate'), 0);
    expect(toldCommand(shown(), 'check')).toEqual(['check']);
  });

  test('wrong answers are told with the way out, and corrected in place', async () => {
    await writeFile(place.path('notes.db'), 'no database');
    const { ended, answer, until } = onTerminal(place, 'init');
    await answer(/shop\.sqlite[\s\S]*?select/, down + down + down + enter);
    await answer(/Path of the database file/, enter);
    await answer(/An answer is needed/, `notes.db${enter}`);
    await until(/notes\.db is no SQLite database|notes\.db is not a SQLite/);
    await answer(/What now\?[\s\S]*?select/, enter);
    await answer(/Path of the database file.*notes\.db/, `${clear}none.sqlite${enter}`);
    await until(/none\.sqlite does not exist/);
    await answer(/way out[\s\S]*?What now\?[\s\S]*?select/, enter);
    await answer(/none\.sqlite/, `${clear}shop.sqlite${enter}`);
    await answer(/can be read[\s\S]*?Where shall[\s\S]*?select/, enter);
    await answer(/Folder \(made/, `notes.db${enter}`);
    await until(/notes\.db is no folder/);
    await answer(/What now\?[\s\S]*?select/, enter);
    await answer(/Folder \(made.*notes\.db/, `${clear}deep/backups${enter}`);
    await answer(/gives back[\s\S]*?compressed[\s\S]*?select/, enter);
    await answer(/encrypted[\s\S]*?select/, down + down + enter);
    await answer(/Recipients/, `age1nonsense${enter}`);
    await answer(/is no age recipient/, clear + enter);
    await answer(/An answer is needed/, `${recipient}${enter}`);
    await answer(/What shall be kept/, interrupt);
    expect(await ended).toBe(130);
    expect(Object.keys(await filesIn(place.folder)).sort()).toEqual(['notes.db', 'shop.sqlite']);
    expect((await readdir(place.folder)).sort()).toEqual(['notes.db', 'shop.sqlite']);
  });

  test('rules and names are judged as they are typed; a no at the end writes nothing', async () => {
    const flags = '--source sqlite --path shop.sqlite --destination backups --compression gzip:6 --encryption none';
    const { ended, answer, shown } = onTerminal(place, `init ${flags}`);
    await answer(/kept[\s\S]*?minimum=3/, `daily=0${enter}`);
    await answer(/daily: must be a whole number of at least 1/, `${clear}dayly=3${enter}`);
    await answer(/unknown key; did you mean "daily"/, `${clear}everything${enter}`);
    await answer(/When shall it run/, `0 25 * * *${enter}`);
    await answer(/25/, `${clear}0 3 31 2 *${enter}`);
    await answer(/never fires/, `${clear}6h${enter}`);
    await answer(/Name of the job/, `my shop${enter}`);
    await answer(/a name has up to 100 letters/, `${clear}mine${enter}`);
    await answer(/type: gzip, level: 6[\s\S]*?every: 6h[\s\S]*?Write .*\?/, `n${enter}`);
    expect(await ended).toBe(0);
    expect(shown()).toContain('Nothing was written');
    expect(await readdir(place.folder)).toEqual(['shop.sqlite']);
  });

  const allButTheLast = `init --source sqlite --path shop.sqlite --destination backups --compression none --encryption new \
    --key-file k.agekey --retention everything --schedule manual --job shop`;
  test.each<[string, string, RegExp[], string]>([
    ['Ctrl-C at the first question', 'init', [/What do you want/], interrupt],
    ['Ctrl-C at a text', 'init', [/back up[\s\S]*?select/, /Where shall[\s\S]*?select/, /Folder \(made/], interrupt],
    ['Ctrl-C before it is written', allButTheLast, [/Write .*\?/], interrupt],
    ['Ctrl-D', 'init', [/What do you want/], endOfInput],
  ])('%s ends with 130 and leaves nothing', async (_, command, questions, key) => {
    const { ended, answer } = onTerminal(place, command);
    for (const question of questions.slice(0, -1)) await answer(question, enter);
    await answer(questions.at(-1) ?? '', key);
    expect(await ended).toBe(130);
    expect(await readdir(place.folder)).toEqual(['shop.sqlite']);
  });

  test('a config that exists is left alone; a job is added to it, and every byte of it stays', async () => {
    const before = `# mine, all mine
sources:
  shop: { type: sqlite, path: shop.sqlite } # the shop
destinations:
    disk:   { type: local,
              path: ./backups }

jobs:
  nightly: # runs by cron
    source: shop
    destinations: disk

# the end
`;
    await place.configure(before);
    await chmod(place.path('dbbackup.yaml'), 0o640);
    const no = onTerminal(place, 'init');
    await no.answer(/exists, and init never overwrites[\s\S]*?instead\?/, `n${enter}`);
    expect(await no.ended).toBe(0);
    expect(await config()).toBe(before);

    const yes = onTerminal(place, 'init');
    await yes.answer(/instead\?/, enter);
    await yes.answer(/shop \(in the config already\)[\s\S]*?select/, enter);
    await yes.answer(/Where shall[\s\S]*?disk \(in the config already\)[\s\S]*?submit/, enter);
    await yes.answer(/compressed[\s\S]*?select/, enter);
    await yes.answer(/encrypted[\s\S]*?select/, enter);
    await yes.answer(/kept/, enter);
    await yes.answer(/When shall it run/, `manual${enter}`);
    await yes.answer(/Name of the job[\s\S]*?shop/, `nightly${enter}`);
    await yes.answer(/has this name already/, `${clear}hourly${enter}`);
    await yes.answer(/Write this into .*\?/, enter);
    await yes.answer(/Run hourly now\?/, `n${enter}`);
    expect(await yes.ended).toBe(0);
    const after = await config();
    const at = after.indexOf('  hourly:');
    expect(before).toBe(after.slice(0, at) + after.slice(after.indexOf('\n# the end')));
    expect(await mode('dbbackup.yaml')).toBe('640');
    expectCode(await place.run('run', 'hourly'), 0);
  });

  test('what was changed meanwhile is not overwritten', async () => {
    await place.configure('sources: { shop: { type: sqlite, path: shop.sqlite } }\n');
    const flags = '--source shop --destination backups --compression zstd --encryption none --retention everything';
    const { ended, answer, shown } = onTerminal(place, `job add ${flags} --schedule 6h --job shop`);
    await answer(/gives back/, '');
    await place.configure('# another was here\nsources: { shop: { type: sqlite, path: shop.sqlite } }\n');
    await answer(/Write this into .*\?/, enter);
    expect(await ended).toBe(6);
    expect(shown()).toContain('changed by someone else');
    expect(await config()).toMatch(/^# another was here\nsources/);
    expect((await readdir(place.folder)).sort()).toEqual(['dbbackup.yaml', 'shop.sqlite']);
  });
});

describe('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
    await createdDatabase(
      server,
      'shop',
      "CREATE TABLE item AS SELECT i, 'n' || i AS name FROM generate_series(1, 500) i",
      '/tmp',
    );
  });
  afterAll(() => server?.stop());
  const sum = (database: string) =>
    server.sql('SELECT count(*), md5(string_agg(name, $$,$$ ORDER BY i)) FROM item', database);

  const url = (port = server.port) => `postgres://postgres@127.0.0.1:${port}/shop`;

  test('a wrong port, a wrong password, a right one kept in a file, a key made now: to a restored backup', async () => {
    const { ended, answer, until, shown } = onTerminal(place, 'init');
    await answer(/PostgreSQL[\s\S]*?select/, enter);
    await answer(/Connection URL/, `${url(1)}${enter}`);
    await until(/Connection refused/);
    await answer(/What now\?[\s\S]*?select/, enter);
    await answer(/Connection URL.*:1\/shop/, `${clear}${url()}${enter}`);
    await answer(/Password:/, `wrong-password${enter}`);
    await until(/password authentication failed/);
    await answer(/What now\?[\s\S]*?select/, enter);
    await answer(/Connection URL/, enter);
    await answer(/Password:/, `${server.password}${enter}`);
    await answer(/can be read \(version \d+[\s\S]*?Where shall[\s\S]*?select/, enter);
    await answer(/Folder \(made/, enter);
    await answer(/compressed[\s\S]*?select/, enter);
    await answer(/encrypted[\s\S]*?select/, down + enter);
    await answer(/File for the secret key[\s\S]*?restore\.agekey/, enter);
    await answer(/kept/, enter);
    await answer(/When shall it run/, enter);
    await answer(/Name of the job[\s\S]*?shop/, enter);
    await answer(/shop: where shall the password be kept\?[\s\S]*?secrets\/shop-password[\s\S]*?select/, enter);
    await answer(/secrets\/shop-password[\s\S]*?Write .*\?/, enter);
    await answer(/Put it away[\s\S]*?Run shop now\?/, enter);
    expect(await ended).toBe(0);

    expect(await config()).toContain('password: "${' + 'file:./secrets/shop-password}"');
    expect(await readFile(place.path('secrets', 'shop-password'), 'utf8')).toBe(`${server.password}\n`);
    expect([await mode('secrets'), await mode('secrets', 'shop-password')]).toEqual(['700', '600']);
    expect([await mode('restore.agekey'), await mode('dbbackup.yaml')]).toEqual(['600', '600']);
    for (const text of [await config(), shown()]) {
      expect(text).not.toContain(server.password);
      expect(text).not.toContain('AGE-SECRET-KEY');
    }
    expectCode(await place.run(...toldCommand(shown(), 'restore')), 0);
    expect(await sum('restored')).toBe(await sum('shop'));
  });

  test('part by part, the database is chosen from those of the server; a socket needs no password', async () => {
    const flags = `--source postgres --host ${server.socketDir} --port ${server.port} --user postgres`;
    const rest =
      '--destination backups --compression none --encryption none --retention everything --schedule manual --no-run';
    const { ended, answer, shown } = onTerminal(place, `init ${flags} ${rest}`);
    await answer(/Database\?[\s\S]*?postgres[\s\S]*?shop[\s\S]*?all of them[\s\S]*?select/, down.repeat(9) + enter);
    await answer(/Name of the job/, `all${enter}`);
    await answer(/Write .*\?/, enter);
    expect(await ended).toBe(0);
    expect(await config()).toMatch(/databases: all/);
    expectCode(await place.run('run', 'all'), 0);
    expectCode(await place.run(...toldCommand(shown(), 'restore')), 0);
    expect((await stat(place.path('restored.tar'))).size).toBeGreaterThan(1000);
  });

  test('a password in a URL goes where secrets go, decoded; the variable is named and used for the first run', async () => {
    await server.sql("CREATE ROLE keeper LOGIN SUPERUSER PASSWORD 'a:b@c d%'");
    const given = `postgres://keeper:a%3Ab%40c%20d%25@127.0.0.1:${server.port}/shop`;
    const flags = ['--source', 'postgres', '--url', given, '--destination', 'backups', '--job', 'shop', '--yes'];
    const run = expectCode(await place.run('init', ...flags, '--secrets', 'variable', '--json'), 0);
    expect(run.stdout + run.stderr + (await config())).not.toMatch(/a:b@c|a%3Ab/);
    expect(await config()).toContain('password: "${' + 'SHOP_PASSWORD}"');
    expect(await config()).toContain(`url: postgres://keeper@127.0.0.1:${server.port}/shop`);
    expect(events(run, 'config')).toMatchObject([{ job: 'shop', source: 'shop', destinations: ['disk'] }]);
    expect(events(run, 'result')).toHaveLength(1);
    expectCode(await place.run('run', 'shop'), 2);
    expectCode(await place.start(['run', 'shop'], { SHOP_PASSWORD: 'a:b@c d%' }).ended, 0);
  });

  test('DATABASE_URL is found, and stays a reference', async () => {
    const { ended, answer } = onTerminal(place, 'init --no-run', { DATABASE_URL: server.url('shop') });
    await answer(/PostgreSQL at \$DATABASE_URL[\s\S]*?select/, enter);
    await answer(/can be read[\s\S]*?Where shall[\s\S]*?select/, enter);
    for (const question of [
      /Folder/,
      /compressed[\s\S]*?select/,
      /encrypted[\s\S]*?select/,
      /kept/,
      /When/,
      /Name/,
      /Write/,
    ]) {
      await answer(question, enter);
    }
    expect(await ended).toBe(0);
    expect(await config()).toContain('url: "${' + 'DATABASE_URL}"\n');
    expect(await config()).not.toContain(server.password);
  });
});

describe('without a terminal', () => {
  const usual = ['--source', 'sqlite', '--path', './shop.sqlite', '--destination', './backups', '--job', 'shop'];
  const quick = (...args: string[]) => runInProcess(place, {}, ...args);
  beforeEach(() => makeShop(place.path('shop.sqlite')));

  test('one line for CI: written, run, restorable', async () => {
    expectCode(await place.run('init', ...usual, '--yes'), 0);
    expectCode(await place.run('restore', 'shop@latest', '--to', 'restored.sqlite'), 0);
    expect(itemsOf(place.path('restored.sqlite'))).toEqual(itemsOf(place.path('shop.sqlite')));
    expect(expectCode(await quick('init', ...usual, '--yes'), 2).stderr).toMatch(/exists[\s\S]*?job add/);
    const before = await config();
    expectCode(await quick('job', 'add', ...usual.slice(0, 6), '--job', 'two', '--yes', '--no-run'), 0);
    // The same source and destination are not defined twice.
    expect((await config()).slice(before.length)).toMatch(/^ {2}two:\n {4}source: shop\n {4}destinations: \[disk\]/);
    expectCode(await quick('config', 'validate'), 0);
  });

  test.each([
    ['nothing said', [], 2, /missing: --source, --destination[\s\S]*?--yes takes what is offered for --compression/],
    ['a source without its path', ['--source', 'sqlite', '--yes'], 2, /missing: --path, --destination/],
    ['no --yes', usual, 2, /--yes is missing[\s\S]*?--compression, --encryption, --retention, --schedule/],
    ['a kind that is none', ['--source', 'sqlight', '--yes'], 2, /--source sqlight: expected one of/],
    [
      'a place that is none',
      [...usual.slice(0, 4), '--destination', 'ftp://x', '--yes'],
      2,
      /neither in the config nor a place/,
    ],
    [
      'a source that is not there',
      ['--source', 'sqlite', '--path', 'no.sqlite', '--destination', 'b', '--yes'],
      3,
      /does not exist/,
    ],
    ['a destination that cannot be', [...usual.slice(0, 4), '--destination', '/dev/null', '--yes'], 4, /no folder/],
    ['rules that are none', [...usual, '--retention', 'daily=0', '--yes'], 2, /--retention daily=0: daily: must be/],
    ['a level that is none', [...usual, '--compression', 'zstd:99', '--yes'], 2, /level of zstd must be/],
    ['a recipient that is none', [...usual, '--encryption', 'age1x', '--yes'], 2, /is no age recipient/],
    [
      'a folder that is not there',
      [...usual, '--config', 'none/x.yaml', '--yes'],
      2,
      /no config can be written into .*none/,
    ],
    [
      'a key file that exists',
      [...usual, '--encryption', 'new', '--key-file', 'shop.sqlite', '--yes'],
      2,
      /never overwritten/,
    ],
    ['a file that is no YAML', [...usual, '--config', 'x.json', '--yes'], 2, /init writes YAML/],
    ['a name that is none', [...usual, '--source-name', 'a b', '--yes'], 2, /--source-name a b: a name has/],
  ] as const)('%s is refused, and nothing is written', async (_, flags, code, message) => {
    expect(expectCode(await quick('init', ...flags), code).stderr).toMatch(message);
    expect(await readdir(place.folder)).toEqual(['shop.sqlite']);
  });

  test('a secret stands in the config only when told to, is never shown, and reads back as it was', async () => {
    const url = `postgres://me:${encodeURIComponent('a$' + '{b}"\'')}@db.example/shop`;
    const flags = [
      '--source',
      'postgres',
      '--destination',
      './backups',
      '--job',
      'shop',
      '--yes',
      '--no-test',
      '--no-run',
    ];
    const run = expectCode(await quick('init', ...flags, '--url', url, '--secrets', 'config'), 0);
    const { password } = parse(await config()).sources.shop;
    expect(password).toBe('a$' + '$' + '{b}"\'');
    expect(run.stderr).toMatch(/password: .\*{3}/);
    expect(run.stderr + run.stdout).not.toMatch(/\{b\}"/);

    const short = ['--url', 'postgres://me:x9@db.example/b', '--source-name', 'b', '--job', 'b', '--secrets', 'config'];
    expect(expectCode(await quick('job', 'add', ...flags, ...short), 0).stderr).not.toContain('x9');
    expect(parse(await config()).sources.b.password).toBe('x9');
  });

  test('a secret file that exists is not overwritten, and the config not written without it', async () => {
    await mkdir(place.path('secrets'));
    await writeFile(place.path('secrets', 'shop-password'), 'of another');
    const given = [
      '--source',
      'postgres',
      '--url',
      'postgres://me:geheim@db.example/shop',
      '--destination',
      './backups',
    ];
    const rest = ['--encryption', 'new', '--job', 'shop', '--yes', '--no-test', '--no-run'];
    expect(expectCode(await quick('init', ...given, ...rest), 2).stderr).toMatch(/shop-password cannot be made/);
    expect(await readFile(place.path('secrets', 'shop-password'), 'utf8')).toBe('of another');
    expect((await readdir(place.folder)).sort()).toEqual(['secrets', 'shop.sqlite']);
  });

  test('every kind of place, untried; files that are elsewhere; a key that is made', async () => {
    await mkdir(place.path('my etc'));
    const away = ['--destination', 's3://bucket/some/where', '--destination', 'sftp://me@nas.example:2222/~/backups'];
    const more = ['--destination', 'rclone:drive:backups', '--destination-region', 'eu-central-1'];
    const flags = [...usual.slice(0, 4), ...away, ...more, '--encryption', 'new', '--key-file', 'my etc/my.agekey'];
    const rest = ['--job', 'shop', '--yes', '--no-run', '--no-test', '--config', 'my etc/x.yaml'];
    const { stderr } = expectCode(await quick('init', ...flags, ...rest), 0);
    expect(stderr).toContain("--identity 'my etc/my.agekey' --config 'my etc/x.yaml'\n");
    const text = await readFile(place.path('my etc', 'x.yaml'), 'utf8');
    expect(text).toMatch(/path: \S*\/shop\.sqlite\n/);
    expect(text).toMatch(/bucket: bucket\n {4}prefix: some\/where\n {4}region: eu-central-1/);
    expect(text).toMatch(/host: nas\.example\n {4}port: 2222\n {4}user: me\n {4}path: backups/);
    expect(text).toMatch(/remote: drive:backups/);
    expect(text).toMatch(/recipients: \[age1/);
    expect(await readdir(place.path('my etc'))).toEqual(['my.agekey', 'x.yaml']);
    expectCode(await quick('config', 'validate', '--config', 'my etc/x.yaml'), 0);
    expectCode(
      await quick('init', ...flags, '--key-file', 'my etc/my.agekey', ...rest, '--config', 'my etc/y.yaml'),
      2,
    );
    expect(await readdir(place.path('my etc'))).toEqual(['my.agekey', 'x.yaml']);
  });
});
