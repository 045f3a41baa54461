/** `report`: on none, one and thousands of executions, with a secret planted wherever one could come from (F38). */
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillHistory, type Past, storePast } from '../servers/many-runs.ts';
import { makeShop } from '../servers/small-shop.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

const day = 86_400_000;
const canary = 'Kanarienvogel&<4711>"s';
const config = `
sources:
  shop: { type: sqlite, path: shop.sqlite }
destinations:
  disk: { type: local, path: backups }
  offline: { type: sftp, host: 127.0.0.1, port: 1, user: backup, path: away, password: '\${CANARY}', retries: 0 }
jobs:
  shop: { description: the shop, source: shop, destinations: disk, retention: { last: 3, daily: 7 } }
  far: { description: "ウィキ <b>&amp;", source: shop, destinations: [disk, offline] }
`;

interface ReportedJob {
  readonly name: string;
  readonly state: string;
  readonly counts: { readonly total: number; readonly good: number; readonly failed: number };
  readonly failureCount: number;
  readonly lastGood?: { readonly storedBytes: number; readonly destinations: readonly string[] };
  readonly copies: readonly { readonly destination: string; readonly problem?: string }[];
}

async function open(): Promise<Workplace> {
  const place = await makeWorkplace({ CANARY: canary });
  await place.configure(config);
  makeShop(place.path('shop.sqlite'));
  await mkdir(place.path('state'), { mode: 0o700 });
  return place;
}

async function jobsOf(place: Workplace, ...args: string[]): Promise<readonly ReportedJob[]> {
  const [report] = events<{ jobs: ReportedJob[] }>(expectCode(await place.run('report', '--json', ...args), 0));
  return report?.jobs ?? [];
}

/** What every page promises, whatever is in it. */
function expectSound(page: string): void {
  expect(page.startsWith('<!doctype html>\n<!-- dbbackup report -->\n')).toBe(true);
  expect(page).toContain(
    `content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"`,
  );
  for (const word of [canary, 'Kanarienvogel', encodeURIComponent(canary)]) expect(page).not.toContain(word);
  expect(page).not.toMatch(/<script|<link|<img|<iframe|<object|@import|url\(|javascript:|\son\w+=/i);
  for (const [, target] of page.matchAll(/\s(?:href|src)="([^"]*)"/g)) expect(target).toMatch(/^#job\d+$/);
  expect(openElements(page)).toEqual([]);
  expect(Buffer.byteLength(page)).toBeLessThan(1_000_000);
}

const alone = new Set(['meta']);

/** Names of elements that are not closed in their order. */
function openElements(page: string): string[] {
  const path: string[] = [];
  for (const [, close, name = '', rest = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (close === '' && !alone.has(name) && !rest.endsWith('/')) path.push(name);
    if (close !== '' && path.pop() !== name) return [...path, `</${name}>`];
  }
  return path;
}

describe('a report of nothing', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => place.remove());

  it('says that nothing ran', async () => {
    const run = expectCode(await place.run('report', 'shop'), 0);
    expect(run.stdout).toMatch(/^- shop {2}the shop$/m);
    expect(run.stdout).toMatch(/last good +none/);
    expect(run.stdout).toMatch(/runs +none yet/);
    expect(run.stderr).toBe('');
  });

  it('is a page, too', async () => {
    expectCode(await place.run('report', 'shop', '--html', 'page.html'), 0);
    const page = await readFile(place.path('page.html'), 'utf8');
    expectSound(page);
    expect(page).toContain('<h1>No backups yet</h1>');
    expect(page).not.toContain('<svg');
  });

  it('works without a config, and says which job nobody knows', async () => {
    const bare = await makeWorkplace();
    try {
      const run = expectCode(await bare.run('report'), 0);
      expect(run.stdout).toContain('No jobs: neither the config nor the history has one.');
    } finally {
      await bare.remove();
    }
    const unknown = expectCode(await place.run('report', 'shopp'), 2);
    expect(unknown.stderr).toMatch(/no job "shopp" in the config or the history[\s\S]*Did you mean "shop"\?/);
  });
});

describe('a report of one run', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await open();
    expectCode(await place.run('run', 'shop', '--note', `with ${canary}`), 0);
  });
  afterAll(() => place.remove());

  it('tells its size, where it lies, and what retention will do', async () => {
    const run = expectCode(await place.run('report', 'shop'), 0);
    expect(run.stdout).toMatch(/^✓ shop {2}the shop$/m);
    expect(run.stdout).toMatch(/last good +\d{4}-\d\d-\d\d \d\d:\d\d, just now, [\d.]+ k?B, at disk$/m);
    expect(run.stdout).toMatch(/runs +1 run: 1 good$/m);
    expect(run.stdout).toMatch(/stored +█ {2}[\d.]+ k?B$/m);
    expect(run.stdout).toMatch(/at disk +1 backup, [\s\S]*last 3, daily 7: deletes\s+1 within 30 days/);
    const [job] = await jobsOf(place, 'shop');
    expect(job).toMatchObject({ state: 'good', counts: { total: 1, good: 1 }, lastGood: { destinations: ['disk'] } });
  });

  it('is a page that needs nothing else, private, and replaced by the next one', async () => {
    const first = expectCode(await place.run('report', 'shop', '--html', 'page.html'), 0);
    expect(first.stdout).toMatch(/✓ 1 job, 1 run: report written to .*page\.html/);
    const page = await readFile(place.path('page.html'), 'utf8');
    expectSound(page);
    expect(page).toContain('<h1>All good</h1>');
    expect(page.match(/<svg /g)).toHaveLength(1);
    expect((await stat(place.path('page.html'))).mode & 0o777).toBe(0o600);
    await chmod(place.path('page.html'), 0o644);
    await symlink('page.html', place.path('link.html'));
    expectCode(await place.run('report', 'shop', '--html', 'link.html'), 0);
    expect((await stat(place.path('page.html'))).mode & 0o777).toBe(0o600);
    const printed = expectCode(await place.run('report', 'shop', '--html', '-'), 0);
    expectSound(printed.stdout);
  });

  it('overwrites nothing else without being told to', async () => {
    await writeFile(place.path('notes.html'), '<!doctype html>\n<p>mine');
    const refused = expectCode(await place.run('report', 'shop', '--html', 'notes.html'), 2);
    expect(refused.stderr).toMatch(/notes\.html is there and no report of dbbackup/);
    expect(await readFile(place.path('notes.html'), 'utf8')).toBe('<!doctype html>\n<p>mine');
    expectCode(await place.run('report', 'shop', '--html', 'notes.html', '--yes'), 0);
    expectSound(await readFile(place.path('notes.html'), 'utf8'));
    const folder = expectCode(await place.run('report', 'shop', '--html', 'backups', '--yes'), 3);
    expect(folder.stderr).toMatch(/backups is no file[\s\S]*report\.html/);
    expect((await place.run('report', 'shop', '--html', '/dev/null')).stderr).toMatch(/Name a file, or - for stdout/);
    const nowhere = expectCode(await place.run('report', 'shop', '--html', 'none/page.html'), 3);
    expect(nowhere.stderr).toMatch(/There is no folder .*none/);
    expectCode(await place.run('report', '--html', '-', '--json'), 2);
  });

  it('knows the run from its sidecar where the history is another', async () => {
    const elsewhere = place.start(['report', 'shop', '--json'], { DBBACKUP_STATE_DIR: place.path('other-state') });
    const [report] = events<{ jobs: ReportedJob[] }>(expectCode(await elsewhere.ended, 0));
    expect(report?.jobs[0]).toMatchObject({ counts: { total: 1, good: 1, fromSidecars: 1 } });
  });

  it('shows what a job has left that is not in the config any more', async () => {
    await writeFile(place.path('gone.yaml'), config.replace(/^ {2}shop: \{ description.*$/m, ''), { mode: 0o600 });
    const run = expectCode(await place.run('report', 'shop', '--config', 'gone.yaml'), 0);
    expect(run.stdout).toMatch(/^✓ shop {2}not in the config$/m);
    expect(run.stdout).toMatch(/at disk +1 backup, [\s\S]*keeps\s+everything/);
    const other = config.replace(/^ {2}shop: \{ description.*$/m, '').replaceAll('disk', 'other');
    await writeFile(place.path('gone.yaml'), other, { mode: 0o600 });
    const unasked = expectCode(await place.run('report', 'shop', '--config', 'gone.yaml'), 0);
    expect(unasked.stdout).toMatch(/^✓ shop[\s\S]*last good .*by the history/m);
  });

  it('goes on without a destination that cannot be reached, names it, and exits 7', async () => {
    const run = expectCode(await place.run('report', '--html', 'both.html'), 7);
    expect(run.stderr).toMatch(/warning offline: it could not be read: .*127\.0\.0\.1/);
    const page = await readFile(place.path('both.html'), 'utf8');
    expectSound(page);
    expect(page).toContain('ECONNREFUSED');
    expect(page).toContain('ウィキ &lt;b&gt;&amp;amp;');
    const alone = expectCode(await place.run('report', '--no-destinations'), 0);
    expect(alone.stdout).toMatch(/last good .*by the history/);
  });
});

describe('a report of five thousand runs', () => {
  let place: Workplace;
  const newest = new Date(Date.now() - 30 * 60_000);
  const past: Past = {
    ...{ job: 'shop', runs: 4000, everyMs: day / 48, newest, bytes: 40_000_000, note: `note ${canary}` },
    troubles: (index) => {
      if (index % 100 !== 50) return undefined;
      const message = `upload ${index} to sftp://backup:${canary}@nas/x failed: ${canary} <script>alert(1)</script>`;
      return { status: 'failed', error: { code: 'DESTINATION_FAILED', message, hint: `ask ${canary}` } };
    },
  };
  const far: Past = { job: 'far', runs: 1000, everyMs: day / 24, newest, bytes: 9_000_000 };
  beforeAll(async () => {
    place = await open();
    // This process does not know that the canary is a secret: it stands in the history as it is.
    await fillHistory(place.path('state'), [past, far]);
    const source = { type: 'sqlite', fingerprintParts: ['sqlite', hostname(), place.path('shop.sqlite')] };
    await storePast(place.path('backups'), past, source, 40);
  });
  afterAll(() => place.remove());

  it('F38 has the canary where it could come from', async () => {
    const database = await readFile(place.path('state', 'history.sqlite'), 'latin1');
    const log = await readFile(place.path('state', 'history.sqlite-wal'), 'latin1').catch(() => '');
    expect(database + log).toContain(`<4711>`);
  });

  it('F38 tells all of them, light and without the secret', async () => {
    const run = expectCode(await place.run('report', '--since', '400d', '--html', 'page.html'), 7);
    expect(run.stdout).toContain('2 jobs, 5,000 runs');
    const page = await readFile(place.path('page.html'), 'utf8');
    expectSound(page);
    expect(page).toContain('&lt;script&gt;');
    expect(page).toContain('40 runs with trouble');
    expect(page).toContain('3,960 good, 40 failed');
    expect(Buffer.byteLength(page)).toBeLessThan(200_000);
  });

  it('F38 says so on the terminal and as JSON', async () => {
    const run = expectCode(await place.run('report', '--since', '400d'), 7);
    expect(run.stdout).toMatch(/4,000 runs: 3,960 good, 40 failed\s+\(99%\s+good\)/);
    expect(run.stdout).toMatch(/trouble +✗[✗ ]+/);
    expect(run.stdout).toMatch(/37 more: dbbackup history shop/);
    const json = await place.run('report', 'far', 'shop', '--since', '400d', '--json');
    for (const text of [run.stdout, run.stderr, json.stdout, json.stderr]) expect(text).not.toContain('Kanarienvogel');
    const [report] = events<{ jobs: ReportedJob[] }>(json);
    expect(report?.jobs.map(({ name, counts }) => [name, counts.total])).toEqual([
      ['far', 1000],
      ['shop', 4000],
    ]);
  });
});
