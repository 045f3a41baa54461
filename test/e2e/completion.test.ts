/** The scripts of `completion`, in the shells that they are for, with the built program behind them. */
import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

const run = promisify(execFile);
const program = resolve(import.meta.dirname, '../../bin/dbbackup.js');

const config = (job: string) => `sources:
  shop: { type: postgres, url: "${'$'}{NOT_SET}" }
  wiki: { type: sqlite, path: ./wiki.sqlite }
destinations: { disk: { type: local, path: ./backups }, dusk: { type: local, path: ./other } }
encryption: { main: { type: age, recipients: ["${'$'}{exec:touch ran}"] } }
notifications: { ops: { type: slack, url: "${'$'}{SLACK}" } }
jobs:
  ${job}: { source: shop, destinations: [disk], retentoin: wrong }
  shop-weekly: { source: shop, destinations: [dusk] }
`;

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace();
  await place.configure(config('shop-nightly'));
  await writeFile(place.path('other.yaml'), config('another'), { mode: 0o600 });
  await mkdir(place.path('bin'));
  await mkdir(place.path('folder'));
  await symlink(program, place.path('bin', 'dbbackup'));
  for (const shell of ['bash', 'zsh', 'fish']) {
    await writeFile(place.path(shell), expectCode(await place.run('completion', shell), 0).stdout);
  }
});
afterAll(() => place?.remove());

async function shell(name: string, ...args: string[]): Promise<string> {
  const env = { ...place.env, PATH: `${place.path('bin')}:${process.env['PATH']}`, TERM: 'dumb' };
  const { stdout, stderr } = await run(name, args, { cwd: place.folder, env, timeout: 30_000 });
  expect(stderr).toBe('');
  return stdout;
}

/** What bash offers behind `line`, many lines in one shell; `|` stands where bash parts words by itself. */
async function bash(...lines: string[]): Promise<readonly (readonly string[])[]> {
  const asks = lines.map((line) => {
    const words = ['dbbackup', ...line.split(/ |(?=[=@])|(?<=[=@])/)].map((word) => `'${word}'`);
    return `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _dbbackup; echo "\${COMPREPLY[*]}"`;
  });
  const said = await shell('bash', '--norc', '-c', `source ./bash\n${asks.join('\n')}`);
  return said
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' ').filter((word) => word !== ''));
}

describe('completion for bash', () => {
  test('offers commands, options of the command, and choices', async () => {
    const [commands, begun, nested, options, choice, equals, shells, before] = await bash(
      '',
      'reco',
      'config ',
      'run --d',
      'list --sort t',
      'tune --prefer=',
      'completion ',
      'list --quiet --st',
    );
    expect(commands).toEqual(expect.arrayContaining(['run', 'restore', 'tune', 'completion', 'help']));
    expect(commands).not.toContain('__names');
    expect(begun).toEqual(['recovery-kit']);
    expect(nested).toEqual(expect.arrayContaining(['validate', 'show', 'schema']));
    expect(options).toEqual(['--dry-run', '--destination', '--debug']);
    expect(choice).toEqual(['time', 'type']);
    expect(equals).toEqual(['balance', 'size', 'speed']);
    expect(shells).toEqual(['bash', 'zsh', 'fish']);
    expect(before).toEqual(['--state']);
  });

  test('offers the names of the config, of a broken one too, and looks up no secret', async () => {
    const answers = await bash(
      'run ',
      'run shop-nightly shop-w',
      'run --destination d',
      'list ',
      'check --source ',
      'recovery-kit folder --include-key ',
      'notify test ',
      'run --config other.yaml ',
      'tune shop-nightly ',
      'run --note ',
    );
    expect(answers).toEqual([
      ['shop-nightly', 'shop-weekly'],
      ['shop-weekly'],
      ['disk', 'dusk'],
      ['disk', 'dusk'],
      ['shop', 'wiki'],
      ['main'],
      ['ops'],
      ['another', 'shop-weekly'],
      [],
      [],
    ]);
    expect(await run('ls', [place.folder])).toMatchObject({ stdout: expect.not.stringContaining('ran') });
  });

  test('offers files and the newest backups where a backup is wanted', async () => {
    const [backups, latest, file, folder, target] = await bash(
      'restore shop-',
      'restore shop-nightly@',
      'restore other',
      'recovery-kit fo',
      'restore x --to w',
    );
    expect(backups).toEqual(['shop-nightly@latest', 'shop-weekly@latest']);
    expect(latest).toEqual(['latest']);
    expect(file).toEqual(['other.yaml']);
    expect(folder).toEqual(['folder']);
    expect(target).toEqual(['wiki']);
  });
});

describe('completion for zsh and fish', () => {
  test('zsh reads its script, and the script knows the way', async () => {
    await shell('zsh', '-n', place.path('zsh'));
    const asks = [
      '_dbbackup_value run --destination',
      '_dbbackup_value tune --prefer',
      '_dbbackup_place run 3',
      '_dbbackup_place tune 1',
      'local -a reply; _dbbackup_names jobs; print -- $reply',
      '_dbbackup_names jobs other.yaml; print -- $reply',
      '_dbbackup_commands config; print -- $reply[1]',
      '_dbbackup_complete "=balance size speed"; _dbbackup_complete jobs; _dbbackup_complete destinations',
    ];
    const said = await shell(
      'zsh',
      '-f',
      '-c',
      `compdef() {}; compadd() { [[ $1 == -a ]] && print -- $reply || print -- $@ }; source ./zsh\n${asks.join('\n')}`,
    );
    expect(said.split('\n')).toEqual([
      'destinations',
      '=balance size speed',
      'jobs',
      'shop-nightly shop-weekly',
      'another shop-weekly',
      expect.stringMatching(/^validate:every problem at once/),
      '-- balance size speed',
      'shop-nightly shop-weekly',
      'disk dusk',
      '',
    ]);
  });

  test('fish completes with its script', async () => {
    await shell('fish', '-n', place.path('fish'));
    const offered = async (line: string) => {
      const said = await shell('fish', '-N', '-c', `source ./fish; complete -C '${line}'`);
      return said.split('\n').flatMap((each) => each.split('\t')[0] || []);
    };
    expect(await offered('dbbackup ')).toEqual(expect.arrayContaining(['run', 'restore', 'tune', 'config']));
    expect(await offered('dbbackup config ')).toEqual(expect.arrayContaining(['schema', 'show', 'validate']));
    expect(await offered('dbbackup run --d')).toEqual(['--debug', '--destination', '--dry-run']);
    expect(await offered('dbbackup run --quiet --destination ')).toEqual(['disk', 'dusk']);
    expect(await offered('dbbackup run -c other.yaml an')).toEqual(['another']);
    expect(await offered('dbbackup tune --prefer s')).toEqual(['size', 'speed']);
    expect(await offered('dbbackup verify shop-n')).toEqual(['shop-nightly@latest']);
  });
});

describe('the names that the scripts ask for', () => {
  test.each([
    ['an unknown kind', ['__names', 'secrets']],
    ['no kind', ['__names']],
    ['a file that is not there', ['__names', 'jobs', '--config', './none.yaml']],
    ['a file that is no YAML', ['__names', 'jobs', '--config', './bash']],
    ['options that do not exist', ['__names', 'jobs', '--config', './none.yaml', '--what', 'ever']],
  ])('%s gives none, and no word', async (_, args) => {
    expect(await place.run(...args)).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  });

  test('leave out what is no name', async () => {
    await writeFile(place.path('odd.yaml'), 'jobs: { "$(touch ran)": {}, "-x": {}, good: {} }\n', { mode: 0o600 });
    expect((await place.run('__names', 'jobs', '-c', 'odd.yaml')).stdout).toBe('good\n');
  });
});
