/** `schedule` as a user has it: the real `crontab`, a real cron started here, real unit files. */
import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

const run = promisify(execFile);
const program = resolve(import.meta.dirname, '../../bin/dbbackup.js');

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace({ DBBACKUP_STATE_DIR: undefined });
  execFileSync('sqlite3', [place.path('shop.sqlite'), 'CREATE TABLE t(x); INSERT INTO t VALUES (42)']);
});
afterAll(() => place.remove());

const config = (jobs: string, more = '') => `sources:
  shop: { type: sqlite, path: ${place.path('shop.sqlite')}, busyTimeout: 5s }
destinations:
  disk: { type: local, path: ./backups }
state: { dir: ./state }
${more}jobs:
${jobs}
`;
const job = (name: string, schedule: string, more = '') =>
  `  ${name}: { source: shop, destinations: disk, schedule: ${schedule}${more} }`;

describe('cron', () => {
  // A folder that has everything that sh and cron take for something else.
  const folder = () => place.path("it's 100% mine");
  const others = 'MAILTO=""\n# of mine: 5% of it\n7 7 7 7 7 echo grüße\\%\n';

  test('runs what install has put into the crontab, with nothing but what cron gives it', {
    timeout: 180_000,
  }, async () => {
    await mkdir(folder());
    await writeFile(`${folder()}/dbbackup.yaml`, config(job('shop', '{ every: 1m }')), { mode: 0o600 });
    await writeFile(place.path('others'), others);
    await writeFile(place.path('in-private.sh'), script());
    // Its own mounts: neither the crontabs nor the cron of this machine are touched.
    await run('unshare', ['--mount', 'bash', place.path('in-private.sh')], {
      cwd: place.folder,
      env: { ...place.env, CONFIG: `${folder()}/dbbackup.yaml`, PROGRAM: program, NODE: process.execPath },
    });
    const installed = await readFile(place.path('installed'), 'utf8');
    expect(installed.startsWith(`${others}# BEGIN dbbackup ${folder()}/dbbackup.yaml\n`)).toBe(true);
    expect(await readFile(place.path('installed-again'), 'utf8')).toBe(installed);
    expect(await readFile(place.path('removed'), 'utf8')).toBe(others);
    const stored = await readdir(`${folder()}/backups/shop`);
    expect(stored.filter((name) => name.endsWith('.meta.json')).length).toBeGreaterThan(0);
    const { trigger } = parse(
      await readFile(`${folder()}/backups/shop/${stored.find((name) => name.endsWith('.meta.json'))}`, 'utf8'),
    );
    expect(trigger).toBe('cron');
    // The state folder that install saw, not one that cron's environment would give.
    expect((await stat(`${folder()}/state/history.sqlite`)).isFile()).toBe(true);
  });

  /**
   * Two seconds before a full minute, for this cron alone: its jobs do not inherit the false clock. A machine that is too
   * slow for that minute has the next one.
   */
  const script = () => `set -eu
mkdir spool cron.d; : > crontab
chgrp crontab spool; chmod 1730 spool
mount --bind spool /var/spool/cron/crontabs
mount --bind cron.d /etc/cron.d
mount --bind crontab /etc/crontab
mount -t tmpfs none /run
crontab - < others
"$NODE" "$PROGRAM" schedule install --yes --config "$CONFIG"
crontab -l > installed
"$NODE" "$PROGRAM" schedule install --config "$CONFIG" | grep -q 'nothing to change'
crontab -l > installed-again
setsid faketime -f '@2026-01-01 00:00:58' timeout --foreground 100 cron -f &
i=0
while ! ls "$(dirname "$CONFIG")"/backups/shop/*.meta.json >/dev/null 2>&1; do
  i=$((i + 1)); [ $i -lt 900 ] || exit 9; sleep 0.1
done
kill -- -$!
sleep 0.5
"$NODE" "$PROGRAM" schedule remove --yes --config "$CONFIG"
crontab -l > removed
`;
});

describe('install and remove', () => {
  /** A `crontab` that keeps its text in a file beside it. */
  async function fakeCrontab(): Promise<NodeJS.ProcessEnv> {
    const bin = place.path('bin');
    await mkdir(bin, { recursive: true });
    const text = `#!/bin/sh
case "$1" in
  -l) [ -e ${bin}/text ] || { echo "no crontab for me" >&2; exit 1; }; cat ${bin}/text;;
  -r) rm ${bin}/text;;
  -) cat > ${bin}/text;;
esac
`;
    await writeFile(`${bin}/crontab`, text);
    await chmod(`${bin}/crontab`, 0o755);
    return { PATH: `${bin}:${place.env['PATH']}` };
  }
  const text = () => readFile(place.path('bin', 'text'), 'utf8').catch(() => undefined);

  test('show what would change, ask, and need --yes where nobody can be asked', async () => {
    const env = await fakeCrontab();
    await place.configure(config(job('shop', '{ cron: "0 3 * * *" }')));
    const dry = expectCode(await place.start(['schedule', 'install', '--dry-run'], env).ended, 0);
    expect(dry.stdout).toMatch(/^ {2}\+ 0 3 \* \* \* PATH=/m);
    expectCode(await place.start(['schedule', 'install'], env).ended, 2);
    expect(await text()).toBeUndefined();
    expectCode(await place.start(['schedule', 'install', '--yes'], env).ended, 0);
    await place.configure(config(job('shop', '{ cron: "0 4 * * *" }')));
    const changed = expectCode(await place.start(['schedule', 'install', '--yes', '--json'], env).ended, 0);
    expect(JSON.parse(changed.stdout)).toEqual({
      changes: [{ place: 'the crontab', changed: ['crontab'], dryRun: false, remarks: [] }],
    });
    expect(await text()).toMatch(/^0 4 \* \* \* /m);
    expect(await text()).not.toMatch(/^0 3 \* \* \* /m);
    expectCode(await place.start(['schedule', 'remove', '--format', 'crontab', '--yes'], env).ended, 0);
    expect(await text()).toBeUndefined();
    const again = expectCode(await place.start(['schedule', 'remove', '--format', 'crontab'], env).ended, 0);
    expect(again.stdout).toMatch(/nothing to change/);
  });

  test('a crontab that is not UTF-8 is left alone', async () => {
    const env = await fakeCrontab();
    const latin = Buffer.from('0 1 * * * echo gr\xfc\xdfe\n', 'latin1');
    await writeFile(place.path('bin', 'text'), latin);
    const refused = expectCode(await place.start(['schedule', 'install', '--yes'], env).ended, 2);
    expect(refused.stderr).toMatch(/not UTF-8/);
    expect(await readFile(place.path('bin', 'text'))).toEqual(latin);
  });

  test('a crontab that changes while it is asked is left alone', async () => {
    const env = await fakeCrontab();
    const script = await readFile(place.path('bin', 'crontab'), 'utf8');
    await writeFile(
      place.path('bin', 'crontab'),
      script.replace('case', 'echo "# more" >> "$(dirname "$0")/text"; case'),
    );
    await writeFile(place.path('bin', 'text'), '');
    await place.configure(config(job('shop', '{ every: 6h }')));
    expect(expectCode(await place.start(['schedule', 'install', '--yes'], env).ended, 6).stderr).toMatch(/meanwhile/);
    expect(await text()).toMatch(/^(# more\n)+$/);
  });

  test('no crontab program: the way out is named', async () => {
    const { ended } = place.start(['schedule', 'install', '--yes'], { PATH: place.path('nothing') });
    expect(expectCode(await ended, 3).stderr).toMatch(/apt-get install cron/);
  });

  test('a variable that cron does not have is warned of, until a file has it', async () => {
    const env = await fakeCrontab();
    await writeFile(place.path('bin', 'text'), '');
    const notes = `notifications:\n  ops: { type: webhook, url: "https://x.example/\${TOKEN}" }\n`;
    await place.configure(config(job('shop', '{ every: 6h }', ', notify: ops'), notes));
    const warned = expectCode(await place.start(['schedule', 'install', '--yes'], env).ended, 8);
    expect(warned.stderr).toMatch(/TOKEN, which notifications\.ops needs/);
    await writeFile(place.path('env'), 'TOKEN=secret\n', { mode: 0o600 });
    const install = ['schedule', 'install', '--yes', '--env-file', 'env'];
    expectCode(await place.start(install, env).ended, 0);
    expect(await text()).toContain(`set -a; . ${place.path('env')}; set +a; PATH=`);
    expect(await text()).not.toContain('secret');
    // What sh would take for something else than systemd does.
    await writeFile(place.path('env'), '# one\nTOKEN=a$b\n', { mode: 0o600 });
    expect(expectCode(await place.start(install, env).ended, 2).stderr).toMatch(/line 2, is not NAME=value/);
    await writeFile(place.path('env'), "TOKEN='a$b c'\n");
    await chmod(place.path('env'), 0o644);
    expect(expectCode(await place.start(install, env).ended, 8).stderr).toMatch(/others than you can reach/);
  });

  test('check tells when what is installed differs from the config', async () => {
    const env = await fakeCrontab();
    await writeFile(place.path('bin', 'text'), '');
    const about = async () => {
      const { findings } = JSON.parse((await place.start(['check', '--json'], env).ended).stdout);
      return (findings as { subject: { name: string }; severity: string; what: string }[])
        .filter(({ subject }) => subject.name === 'schedule')
        .map(({ severity, what }) => `${severity}: ${what}`);
    };
    await place.configure(config(job('shop', '{ every: 6h }')));
    expect(await about()).toEqual([expect.stringMatching(/^info: neither the crontab of this user nor systemd/)]);
    expectCode(await place.start(['schedule', 'install', '--yes'], env).ended, 0);
    expectCode(await place.run('schedule', 'install', '--format', 'systemd', '--user', '--yes'), 0);
    expect(await about()).toEqual([
      'ok: the crontab starts 1 job',
      expect.stringMatching(/^ok: .*user has the timers/),
    ]);
    await place.configure(config(job('shop', '{ every: 8h }')));
    expect(await about()).toEqual([
      expect.stringMatching(/^warn: the crontab is out of date/),
      expect.stringMatching(/^warn: .*user is out of date/),
    ]);
    const removed = expectCode(await place.start(['schedule', 'remove', '--user', '--yes', '--json'], env).ended, 0);
    expect(JSON.parse(removed.stdout).changes).toMatchObject([
      { place: 'the crontab', changed: ['crontab'] },
      { changed: ['dbbackup-shop.service', 'dbbackup-shop.timer'] },
    ]);
  });

  test('systemd: units of ours come and go, those of others stay', async () => {
    const folder = place.path('.config', 'systemd', 'user');
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}/dbbackup-foreign.timer`, '[Timer]\n');
    await place.configure(
      config(`${job('one', '{ cron: "0 3 * * *", timezone: Asia/Tokyo }')}\n${job('two', '{ every: 1h }')}`),
    );
    const install = ['schedule', 'install', '--format', 'systemd', '--user', '--yes'];
    const said = expectCode(await place.run(...install), 0);
    expect(said.stderr).toMatch(/systemctl --user daemon-reload && systemctl --user enable --now dbbackup-one.timer/);
    expect((await readdir(folder)).sort()).toEqual([
      'dbbackup-foreign.timer',
      'dbbackup-one.service',
      'dbbackup-one.timer',
      'dbbackup-two.service',
      'dbbackup-two.timer',
    ]);
    expect(await readFile(`${folder}/dbbackup-one.timer`, 'utf8')).toContain('OnCalendar=*-*-* 03:00:00 Asia/Tokyo\n');
    expect(expectCode(await place.run(...install), 0).stdout).toMatch(/nothing to change/);

    await place.configure(config(job('two', '{ every: 2h }')));
    expectCode(await place.run(...install), 0);
    expect((await readdir(folder)).some((name) => name.includes('one'))).toBe(false);
    await place.configure(config(job('foreign', '{ every: 2h }')));
    expect(expectCode(await place.run(...install), 2).stderr).toMatch(/was not made for/);
    expectCode(await place.run('schedule', 'remove', '--format', 'systemd', '--user', '--yes'), 0);
    expect(await readdir(folder)).toEqual(['dbbackup-foreign.timer']);
  });
});

describe('export and show', () => {
  test('kubernetes: the config without its comments, keys of secrets and no values', async () => {
    const notes = (url: string) =>
      `notifications:\n  ops: { type: webhook, url: "${url}", secret: "\${file:./hook.key}" }\n`;
    const jobs = job('shop', '{ cron: "0 3 * * *", timezone: Asia/Tokyo }', ', notify: ops');
    await place.configure(`# the old password was canary\n${config(jobs, notes(`\${HOOK}`))}`);
    const args = ['schedule', 'export', '--format', 'kubernetes', '--image', 'x/y:1'];
    const { stdout } = expectCode(await place.start(args, { HOOK: 'https://canary-4711.example' }).ended, 0);
    expect(stdout).not.toContain('canary-4711');
    expect(stdout).toMatch(/^# {3}HOOK\n# {3}hook\.key: the file that will be \/etc\/dbbackup\/hook\.key$/m);
    const [map, cronJob] = parseAllDocuments(stdout).map((each) => each.toJS());
    expect(map.data['dbbackup.yaml']).not.toContain('canary');
    expect(parse(map.data['dbbackup.yaml'])).toEqual(parse(await readFile(place.path('dbbackup.yaml'), 'utf8')));
    expect(cronJob).toMatchObject({ kind: 'CronJob', spec: { schedule: '0 3 * * *', timeZone: 'Asia/Tokyo' } });

    await place.configure(config(jobs, notes('https://x.example/canary')));
    const refused = expectCode(await place.run(...args), 2);
    expect(refused.stderr).toMatch(/holds a secret itself \(notifications\.ops\.url\)/);
    expect(refused.stderr + refused.stdout).not.toContain('canary');
  });

  test('files never replace what is there', async () => {
    await place.configure(config(job('shop', '{ every: 6h }')));
    const args = ['schedule', 'export', '--format', 'systemd', '--output', 'units', '--json'];
    const { written } = JSON.parse(expectCode(await place.run(...args), 0).stdout);
    expect(written).toEqual([place.path('units', 'dbbackup-shop.service'), place.path('units', 'dbbackup-shop.timer')]);
    expectCode(await place.run(...args), 2);
  });

  test('show tells times in the job’s own timezone; jobs tells the next', async () => {
    await place.configure(
      config(`${job('shop', '{ cron: "0 3 * * *", timezone: Asia/Tokyo }')}\n${job('hand', 'manual')}`),
    );
    const shown = expectCode(await place.run('schedule', 'show', '--count', '2'), 0);
    expect(shown.stdout).toMatch(
      /^shop +0 3 \* \* \* \(Asia\/Tokyo\) +\d{4}-\d\d-\d\d 03:00:00 GMT\+9\n +\d.* 03:00:00 GMT\+9$/m,
    );
    expectCode(await place.run('schedule', 'show', 'hand'), 2);
    const { jobs } = JSON.parse(expectCode(await place.run('jobs', '--json'), 0).stdout);
    expect(jobs).toMatchObject([
      {
        name: 'shop',
        schedule: { kind: 'cron', expression: '0 3 * * *' },
        nextRun: expect.stringMatching(/T18:00:00.000Z$/),
      },
      { name: 'hand', statistics: { total: expect.any(Number) } },
    ]);
    expect(jobs[1].nextRun).toBeUndefined();
  });
});
