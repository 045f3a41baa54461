import { randomUUID } from 'node:crypto';
import { chmod, chown, lchown, link, lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig, readConfig } from '../../src/config/load.ts';
import { resolveDefinition } from '../../src/config/secret.ts';
import { showConfig } from '../../src/config/show.ts';
import { DbBackupError } from '../../src/errors.ts';
import { redact } from '../../src/redact.ts';
import { fakeCatalog, shopOptions } from '../unit/config/fake-catalog.ts';

const isRoot = process.getuid?.() === 0;
const stranger = 12_345;
const sound = `sources: { db: { type: shop } }
destinations: { disk: { type: shelf, path: ./b } }
jobs: { shop: { source: db, destinations: disk } }
`;

let folder: string;
const made: string[] = [];
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(async () => {
  for (const each of made.splice(0)) await rm(each, { recursive: true });
});

async function makeFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'dbbackup-config-'));
  made.push(path);
  return path;
}

async function write(name: string, content: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

/** The search, with nothing in the user's config folder. */
function load(env: NodeJS.ProcessEnv = {}, named?: string, cwd = folder) {
  return loadConfig({ cwd, named, env: { XDG_CONFIG_HOME: join(folder, 'xdg'), ...env }, catalog: fakeCatalog });
}

async function failure(promise: Promise<unknown>): Promise<DbBackupError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DbBackupError)) throw new Error(`expected a DbBackupError, not ${String(error)}`);
  return error;
}

/** Everything that a sink may print of an error. */
function printed(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const hint = error instanceof DbBackupError ? error.hint : '';
  return [error.message, hint, error.stack, printed(error.cause)].join('\n');
}

describe('the search', () => {
  test.each([
    'dbbackup.yaml',
    'dbbackup.yml',
    'dbbackup.json',
    '.dbbackuprc',
    '.dbbackuprc.json',
    '.dbbackuprc.yaml',
  ])('finds %s', async (name) => {
    const file = await write(name, name.endsWith('json') ? '{ "jobs": {} }' : sound);
    expect(await load()).toMatchObject({ file, folder });
  });

  test('goes on to the user’s folder, not to the folders above', async () => {
    const mine = await write('xdg/dbbackup/dbbackup.yaml', sound);
    const inner = join(folder, 'a', 'b');
    await mkdir(inner, { recursive: true });
    expect((await load({}, undefined, inner)).file).toBe(mine);
    await write('a/dbbackup.yaml', 'wrong: true');
    expect((await load({}, undefined, inner)).file).toBe(mine);
  });

  test('says where it looked and how to go on', async () => {
    const error = await failure(load());
    expect(error).toMatchObject({ code: 'CONFIG_NOT_FOUND', exitCode: 2 });
    for (const place of [folder, join(folder, 'xdg/dbbackup'), '/etc/dbbackup']) expect(error.message).toContain(place);
    expect(error.hint).toContain('--config');
  });

  test('takes DBBACKUP_CONFIG, and --config before it', async () => {
    const a = await write('a.yaml', sound);
    const b = await write('b.yaml', sound);
    expect((await load({ DBBACKUP_CONFIG: a })).file).toBe(a);
    expect((await load({ DBBACKUP_CONFIG: a }, 'b.yaml')).file).toBe(b);
    expect(await failure(load({}, 'c.yaml'))).toMatchObject({ code: 'CONFIG_NOT_FOUND' });
  });

  test('does not pass over a file that it cannot read', async () => {
    await symlink(join(folder, 'gone.yaml'), join(folder, 'dbbackup.yaml'));
    await write('.dbbackuprc', sound);
    expect(await failure(load())).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('dbbackup.yaml'),
    });
  });

  test.each(['js', 'mjs', 'cjs', 'ts', 'mts'])('refuses a program (.%s)', async (extension) => {
    const file = await write(`dbbackup.${extension}`, 'export default {}');
    expect(await failure(load({}, file))).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 2 });
  });
});

describe('F32 a wrong configuration is refused before anything is contacted', () => {
  test('with file, line, path, reason and suggestion of every problem', async () => {
    const file = await write('dbbackup.yaml', `${sound}state:\n  dri: ./x\nretention: { last: -1 }\n`);
    const error = await failure(load());
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 2 });
    expect(error.message.split('\n')).toEqual([
      'the configuration has 3 problems:',
      `${file}:4 state.dir: is missing (text)`,
      `${file}:5 state.dri: unknown key; did you mean "dir"?`,
      `${file}:6 retention: unknown key`,
    ]);
  });

  test('a file that is no YAML, or empty', async () => {
    const file = await write('dbbackup.yaml', 'jobs:\n  a: [\n');
    expect((await failure(load())).message).toContain(`${file}:`);
    await write('dbbackup.yaml', '# nothing\n');
    expect((await failure(load())).message).toContain('is empty');
  });

  test('a variable that this command needs; not one that it does not', async () => {
    const unset = sound.replace('type: shop', `type: shop, password: "\${DBBACKUP_TEST_UNSET}"`);
    const file = await write('dbbackup.yaml', unset);
    const config = await load();
    const source = config.sources.get('db');
    if (source === undefined) throw new Error('no source');
    const error = await failure(resolveDefinition(source, { options: shopOptions }, { env: {}, folder }));
    expect(error).toMatchObject({ code: 'SECRET_UNAVAILABLE', exitCode: 2 });
    expect(error.message).toContain(`${file}: sources.db.password needs the variable DBBACKUP_TEST_UNSET`);
  });
});

describe('F43 a configuration that was found, not named, may not come from others', () => {
  async function refused(reason: RegExp): Promise<void> {
    const error = await failure(load());
    expect(error).toMatchObject({ code: 'CONFIG_UNTRUSTED', exitCode: 2, message: expect.stringMatching(reason) });
    expect(error.hint).toContain(`--config ${join(folder, 'dbbackup.yaml')}`);
    expect((await load({}, join(folder, 'dbbackup.yaml'))).jobs.size).toBe(1);
  }

  test('world-writable', async () => {
    await write('dbbackup.yaml', sound, 0o646);
    await refused(/written by everyone/);
  });

  test('in a folder that everyone may write to; with the sticky bit it is fine', async () => {
    await write('dbbackup.yaml', sound);
    await chmod(folder, 0o777);
    await refused(/folder/);
    await chmod(folder, 0o1777);
    expect((await load()).jobs.size).toBe(1);
  });

  test('group-writable by the private group of its owner is fine', async () => {
    const file = await write('dbbackup.yaml', sound, 0o664);
    const { uid, gid } = await lstat(file);
    if (uid === gid) expect((await load()).jobs.size).toBe(1);
    else await refused(/written by its group/);
  });

  // Only root can give files away. Without root these show up as skipped, and CI runs as root.
  describe.skipIf(!isRoot)('of another user (needs root)', () => {
    test('the file', async () => {
      await chown(await write('dbbackup.yaml', sound), stranger, stranger);
      await refused(/neither to this user nor to root/);
    });

    test('the file behind a link', async () => {
      const file = await write('other.yaml', sound);
      await chown(file, stranger, stranger);
      await symlink(file, join(folder, 'dbbackup.yaml'));
      await refused(/neither to this user nor to root/);
    });

    test('the link to a file of ours', async () => {
      await symlink(await write('other.yaml', sound), join(folder, 'dbbackup.yaml'));
      await lchown(join(folder, 'dbbackup.yaml'), stranger, stranger);
      await refused(/link made by another user/);
    });

    test('a hard link to a file of theirs', async () => {
      const file = await write('other.yaml', sound);
      await chown(file, stranger, stranger);
      await link(file, join(folder, 'dbbackup.yaml'));
      await refused(/neither to this user nor to root/);
    });

    test('writable by a group that is not the owner’s own', async () => {
      await chown(await write('dbbackup.yaml', sound, 0o664), 0, stranger);
      await refused(/written by its group/);
    });
  });

  // cosmiconfig would first look for its own settings in the working folder, and so run a program that lies there.
  describe('a program in the working folder', () => {
    const before = process.cwd();
    beforeEach(() => process.chdir(folder));
    afterEach(() => process.chdir(before));

    test('is not run by the search', async () => {
      await write('dbbackup.yaml', sound);
      const mark = join(folder, 'mark');
      const program = `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '')`;
      for (const name of ['config.js', 'config.cjs']) await write(`.config/${name}`, program);
      await load();
      await expect(lstat(mark)).rejects.toMatchObject({ code: 'ENOENT' });
    });
  });
});

describe('F38 a planted secret is never shown', () => {
  // A new one for each test: what an earlier test made known to `redact` must not hide a leak of this one.
  let canary: string;
  beforeEach(() => {
    canary = `canary-${randomUUID()}`;
  });

  test.each([
    ['an unknown key beside it', `sources: { db: { type: shop, password: CANARY, prot: 1 } }`],
    ['an unknown type', `sources: { db: { type: shpo, password: CANARY } }`],
    ['a wrong value under a secret’s key', `sources: { db: { type: shop, password: [CANARY] } }`],
    ['a URL where a name belongs', sound.replace('source: db', 'source: "shop://u:CANARY@h/d"')],
    ['a URL with a password and a wrong key', `sources: { db: { type: shop, url: "shop://u:CANARY@h/d", x: 1 } }`],
    ['no space after the colon', `sources: { db: { type: shop, "password:CANARY": } }`],
    ['bad YAML in its line', `sources:\n  db: { type: shop, password: "CANARY }\n`],
    ['an alias', `sources:\n  db: { type: shop, password: *CANARY }\n`],
    ['a tag', `sources:\n  db: { type: shop, password: !CANARY x }\n`],
    ['a broken reference', `sources: { db: { type: shop, password: "\${CANARY" } }`],
    ['a wrong enum value', `sources: { db: { type: shop, mode: CANARY } }`],
  ])('in the message about %s', async (_, text) => {
    await write('dbbackup.yaml', text.replaceAll('CANARY', canary));
    const error = await failure(load());
    expect(error.code).toBe('CONFIG_INVALID');
    expect(printed(error)).not.toContain(canary);
  });

  test('by config show', async () => {
    await write(
      'dbbackup.yaml',
      `sources:
  a: { type: shop, password: ${canary} }
  b: { type: shop, url: "shop://u:${canary}@h/d" }
  c: { type: shop, url: "shop://h/d?password=${canary}" }
  d: { type: shop, password: "\${PW:-${canary}}", path: "\${P:-./x}" }
destinations:
  e: { type: cloud, bucket: b, secretAccessKey: ${canary} }
`,
    );
    const { raw, problems } = await readConfig({ cwd: folder, env: {}, catalog: fakeCatalog });
    expect(problems).toEqual([]);
    const shown = JSON.stringify(showConfig(raw));
    expect(shown).not.toContain(canary);
    expect(shown).toContain(`\${PW:-***}`);
    expect(shown).toContain(`\${P:-./x}`);
    expect(redact(`psql: ${canary}`)).toBe('psql: ***');
  });

  test.each([
    ['a variable of the wrong type', { port: `\${PORT}` }],
    ['a file of the wrong type', { port: `\${file:secret}` }],
    ['a command of the wrong type', { port: `\${exec:cat secret}` }],
    ['a command that fails after printing it', { password: `\${exec:sh -c 'cat secret; exit 1'}` }],
  ])('in the message about %s', async (_, options) => {
    await write('secret', `${canary}\n`);
    const env = { PORT: canary, PATH: process.env['PATH'] };
    const definition = { name: 'db', type: 'shop', options };
    const error = await failure(resolveDefinition(definition, { options: shopOptions }, { env, folder }));
    expect(error.exitCode).toBe(2);
    expect(printed(error)).not.toContain(canary);
  });

  test.each([0o644, 0o640, 0o604, 0o620, 0o602])('a secret file with mode %o is refused', async (mode) => {
    await write('secret', canary, mode);
    const definition = { name: 'db', type: 'shop', options: { password: `\${file:secret}` } };
    const error = await failure(resolveDefinition(definition, { options: shopOptions }, { env: {}, folder }));
    expect(error).toMatchObject({ code: 'SECRET_UNAVAILABLE', hint: expect.stringContaining('chmod 600') });
    expect(printed(error)).not.toContain(canary);
  });
});
