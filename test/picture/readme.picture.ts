/**
 * `npm run pictures`: the pictures of the README, of the built program in a real terminal and a real browser, on a made-up
 * machine with three months behind it. Needs root on Linux (the machine gets a name), tmux and Chromium.
 */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, test } from 'vitest';
import { Database } from '../../src/sqlite-library.ts';
import { openBrowser } from '../servers/browser.ts';
import { fillHistory, type Past, storePast } from '../servers/many-runs.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { type Frame, terminalSvg } from './terminal-svg.ts';

const root = resolve(import.meta.dirname, '../..');
const size = { columns: 104, rows: 46 };
const host = 'db1';
const day = 86_400_000;

const config = `
sources:
  shop: { type: sqlite, path: shop.sqlite }
  wiki: { type: sqlite, path: wiki.sqlite }
destinations:
  disk: { type: local, path: disk }
  nas:  { type: local, path: nas, limit: 3MB/s }
encryption:
  main: { type: age, recipients: ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"] }
jobs:
  shop: { description: "orders and customers, every night", source: shop, format: sql, destinations: [disk, nas], encryption: main, schedule: { cron: "0 3 * * *" }, retention: { last: 7, daily: 14, weekly: 6 } }
  wiki: { description: "the wiki, every night", source: wiki, format: sql, destinations: [disk, nas], schedule: { cron: "10 3 * * *" }, retention: { daily: 14 } }
maxConcurrentJobs: 2
state: { dir: state }
`;

const night = new Date();
night.setHours(3, 0, 0, 0);
if (night.getTime() > Date.now() - day / 8) night.setDate(night.getDate() - 1);

const refused = 'dump of shop failed: the database is locked by another program';
const shop: Past = {
  ...{ job: 'shop', runs: 86, everyMs: day, newest: night, bytes: 11_900_000 },
  troubles: (index) => {
    const error = { code: 'SOURCE_LOCKED', message: refused, hint: 'Let it end, or set busyTimeout.' };
    if (index === 23 || index === 24) return { status: 'failed', error };
    if (index !== 51) return undefined;
    return { status: 'suspect', rawBytes: 10_000_000, storedBytes: 2_600_000, durationMs: 900 };
  },
};
const wiki: Past = {
  job: 'wiki',
  runs: 60,
  everyMs: day,
  newest: new Date(night.getTime() + 600_000),
  bytes: 4_800_000,
};

let folder: string;
let terminal: Terminal;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-pictures-'));
  for (const name of ['bin', 'state']) await mkdir(join(folder, name), { mode: 0o700 });
  await symlink(join(root, 'bin/dbbackup.js'), join(folder, 'bin/dbbackup'));
  await writeFile(join(folder, 'dbbackup.yaml'), config, { mode: 0o600 });
  fillOrders(join(folder, 'shop.sqlite'), 420_000);
  fillOrders(join(folder, 'wiki.sqlite'), 170_000);
  await fillHistory(join(folder, 'state'), [shop, wiki]);
  for (const { past, to, kept } of [
    { past: shop, to: 'disk', kept: 14 },
    { past: shop, to: 'nas', kept: 14 },
    { past: wiki, to: 'disk', kept: 14 },
    { past: wiki, to: 'nas', kept: 14 },
  ]) {
    const fingerprintParts = ['sqlite', host, join(folder, `${past.job}.sqlite`)];
    await storePast(join(folder, to), past, { type: 'sqlite', fingerprintParts }, kept);
  }
  const PATH = `${join(folder, 'bin')}:${process.env['PATH']}`;
  terminal = await openTerminal(size, folder, { PATH, HOME: folder }, host);
}, 300_000);

afterAll(async () => {
  await terminal.close();
  // The shell that was ended may be writing yet.
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Rows that compress as rows of a shop do. */
function fillOrders(file: string, rows: number): void {
  const database = new Database(file);
  database.exec(`
    CREATE TABLE "order" (id INTEGER PRIMARY KEY, customer TEXT, placed TEXT, total REAL, note TEXT);
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO "order" SELECT i, 'customer ' || (i * 7919 % 5003), datetime(1700000000 + i * 61, 'unixepoch'),
      round(abs(random() % 90000) / 100.0, 2), hex(randomblob(8)) || ' delivered to the door, signed by the neighbour' FROM n;
  `);
  database.close();
}

async function keep(name: string, frames: readonly Frame[], title: string): Promise<void> {
  await writeFile(join(import.meta.dirname, `${name}.svg`), terminalSvg(frames, title, size.columns));
}

/** True when the command has ended: the last line is a prompt alone. */
function isDone(screen: string): boolean {
  const lines = stripVTControlCharacters(screen).trimEnd().split('\n');
  return lines.length > 1 && lines.at(-1)?.trim() === '$';
}

function withoutPrompt(screen: string): string {
  return screen.trimEnd().split('\n').slice(0, -1).join('\n');
}

/** Types the command and keeps its last screen. */
async function picture(name: string, command: string): Promise<void> {
  await terminal.clear();
  await terminal.type(command);
  await keep(name, [{ screen: withoutPrompt(await terminal.waitFor(isDone)), seconds: 0 }], command);
}

/** Two screens a second. */
const step = 0.5;

test('run', async () => {
  await terminal.clear();
  await terminal.type('dbbackup run shop wiki');
  const frames: Frame[] = [];
  for (let screen = await terminal.screen(); !isDone(screen) && frames.length < 60; screen = await terminal.screen()) {
    if (screen !== frames.at(-1)?.screen) frames.push({ screen, seconds: step });
    await delay(step * 1000);
  }
  const done = withoutPrompt(await terminal.waitFor(isDone));
  await keep('run', [...frames, { screen: done, seconds: 3 }], 'dbbackup run shop wiki');
});

test('list', () => picture('list', 'dbbackup list --limit 8'));

test('report', () => picture('report', 'dbbackup report'));

test('report as a page', async () => {
  await terminal.clear();
  await terminal.type('dbbackup report --html report.html');
  await terminal.waitFor(isDone);
  const browser = await openBrowser();
  try {
    browser.pages.set('/report', await readFile(join(folder, 'report.html'), 'utf8'));
    await browser.screenshot('/report', join(import.meta.dirname, 'page.png'), { width: 1160, height: 1060 });
  } finally {
    await browser.close();
  }
});
