/** Slips of the hand: each is answered with what was probably meant, or with the next command. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInProcess } from '../fault/faulty-app.ts';
import { makeShop } from '../servers/small-shop.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

const config = `sources: { shop: { type: sqlite, path: ./shop.sqlite }, gone: { type: sqlite, path: ./gone.sqlite } }
destinations:
  disk: { type: local, path: ./backups }
  offsite: { type: s3, bucket: b, accessKeyId: "${'$'}{NOT_SET_HERE}", secretAccessKey: x }
encryption: { main: { type: aes-256-gcm, keyFile: ./main.key } }
notifications: { ops: { type: slack, url: "${'$'}{NOT_SET_HERE}" } }
jobs:
  shop: { source: shop, destinations: disk }
  weekly: { source: shop, destinations: disk, enabled: false }
  away: { source: shop, destinations: [offsite], enabled: false }
  broken: { source: gone, destinations: disk, enabled: false }
`;

let place: Workplace;
let execution: string;
const dbbackup = (...args: string[]) => runInProcess(place, {}, ...args);

beforeAll(async () => {
  place = await makeWorkplace();
  makeShop(place.path('shop.sqlite'));
  await place.configure(config);
  const run = expectCode(await dbbackup('run', 'shop', '--json'), 0);
  execution = events<{ executionId: string }>(run, 'result')[0]?.executionId ?? '';
});
afterAll(() => place?.remove());

describe('a near miss', () => {
  test.each<[string, string[], number, RegExp]>([
    ['of a command', ['restroe'], 2, /unknown command 'restroe'.*Did you mean restore\?/s],
    ['of a command below another', ['config', 'vaildate'], 2, /Did you mean validate\? dbbackup config --help/],
    ['of an option', ['run', '--dryrun'], 2, /Did you mean --dry-run\? dbbackup run --help/],
    ['of a choice', ['list', '--sort', 'tiem'], 2, /--sort tiem: expected one of.*Did you mean time\?/s],
    ['of a repeatable choice', ['list', '--state', 'loked'], 2, /Did you mean locked\?/],
    ['of a job', ['run', 'shpo'], 2, /Did you mean "shop"\?/],
    ['of a source', ['check', '--source', 'shpo'], 2, /Did you mean "shop"\?/],
    ['of a destination', ['list', 'dsik'], 2, /Did you mean "disk"\?/],
    ['of a notification', ['notify', 'test', 'op'], 2, /Did you mean "ops"\?/],
    ['of a profile', ['recovery-kit', 'kit', '--include-key', 'mian'], 2, /Did you mean "main"\?/],
    ['of the job of a backup', ['show', 'shpo@latest'], 2, /Did you mean "shop@latest"\?/],
    ['of the destination of a backup', ['show', 'dsik:shop/x.sqlite'], 2, /Did you mean "disk:shop\/x\.sqlite"\?/],
    [
      'of a number',
      ['list', '--limit', 'ten'],
      2,
      /option '--limit <n>' argument 'ten' is invalid.*dbbackup list --help/s,
    ],
  ])('%s', async (_, args, code, message) => {
    const { stderr } = expectCode(await dbbackup(...args), code);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test('of an execution', async () => {
    const wrong = `${execution.slice(0, 6)}${execution[6] === '0' ? '1' : '0'}`;
    for (const command of ['logs', 'cancel']) {
      const { stderr } = expectCode(await dbbackup(command, wrong), 2);
      expect(stderr).toMatch(
        new RegExp(`Did you mean ${execution.slice(0, 7)}\\?.*${execution.slice(0, 8)} \\(backup shop\\)`),
      );
    }
  });

  test('of a key of the config', async () => {
    await place.configure(config.replace('enabled', 'enalbed'));
    expect(expectCode(await dbbackup('jobs'), 2).stderr).toMatch(
      /:9 jobs\.weekly\.enalbed: unknown key; did you mean "enabled"\?/,
    );
    await place.configure(config);
  });
});

describe('the next command is named', () => {
  test('where a job has no backup yet', async () => {
    const { stderr } = expectCode(await dbbackup('restore', 'weekly@latest', '--to', './copy.sqlite'), 2);
    expect(stderr).toMatch(/no backup "weekly@latest" \(searched disk; could not be asked: offsite\)/);
    expect(stderr).toMatch(/dbbackup run weekly makes one/);
  });

  test('where a run has failed, and not where it was asked to be quiet', async () => {
    const { stderr } = expectCode(await dbbackup('run', 'broken'), 3);
    const [, id = ''] =
      /broken: dbbackup logs (\w+) shows what it said; dbbackup check broken looks/.exec(stderr) ?? [];
    expect(expectCode(await dbbackup('logs', id), 0).stdout).toMatch(/gone\.sqlite does not exist/);
    expect(expectCode(await dbbackup('run', 'broken', '--quiet'), 3).stderr).not.toMatch(/dbbackup logs/);
  });

  test('but a place of the job that cannot be asked is the news itself, with its own way out', async () => {
    const { stderr } = expectCode(await dbbackup('show', 'away@latest'), 2);
    expect(stderr).toMatch(/offsite\.accessKeyId needs the variable NOT_SET_HERE/);
    expect(stderr).toMatch(/Set NOT_SET_HERE/);
  });
});
