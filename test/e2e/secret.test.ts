/** F38 planted secrets, and where they must not be found: output, files, and the arguments of any process. */
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpReceiver, startHttpReceiver } from '../servers/http-receiver.ts';
import { fillNoise } from '../servers/sqlite-nasty.ts';
import { processesOf } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

const canaries = {
  variable: 'canary-Qv1-of/a variable',
  file: 'canary-Zf2-of-a-file',
  program: 'canary-Xp3-of-a-program',
  url: 'canary-Ku4-of-a-url',
};

let place: Workplace;
let receiver: HttpReceiver;
let printed = '';
let watched = '';

beforeAll(async () => {
  place = await makeWorkplace({ CANARY: canaries.variable });
  receiver = await startHttpReceiver();
  const told = `user:${canaries.url}@127.0.0.1`;
  const query = `/${canaries.url}?token=${canaries.url}`;
  fillNoise(place.path('shop.sqlite'), 3);
  await writeFile(place.path('secret'), `${canaries.file}\n`, { mode: 0o600 });
  await writeFile(place.path('tell'), `#!/bin/sh\nsleep 0.1; printf %s '${canaries.program}'\n`, { mode: 0o700 });
  await place.configure(`
sources: { shop: { type: sqlite, path: shop.sqlite }, gone: { type: sqlite, path: gone.sqlite } }
destinations: { disk: { type: local, path: backups } }
encryption:
  variable: { type: aes-256-gcm, passphrase: "\${CANARY}" }
  file: { type: age, passphrase: "\${file:secret}" }
  program: { type: aes-256-gcm, passphrase: "\${exec:./tell}" }
notifications:
  url: { type: webhook, url: "http://${told}:1${query}", on: [success, failure] }
  refusing: { type: webhook, url: "http://${told}:${new URL(receiver.url).port}${query}", on: success }
jobs:
  variable: { source: shop, destinations: disk, format: sql, compression: bzip2, encryption: variable, notify: [refusing] }
  file: { source: shop, destinations: disk, compression: bzip2, encryption: file }
  program: { source: shop, destinations: disk, encryption: program, notify: [refusing] }
  gone: { source: gone, destinations: disk, encryption: variable, notify: [url] }
`);
}, 60_000);
afterAll(async () => {
  await receiver?.close();
  await place.remove();
});

/** Runs while looking at the command lines of all processes, as `ps` would. */
async function run(...args: string[]) {
  const { ended } = place.start(args);
  const watch = setInterval(() => {
    for (const pid of processesOf(place)) watched += commandLine(pid);
  }, 40);
  const done = await ended.finally(() => clearInterval(watch));
  printed += done.stdout + done.stderr;
  return done;
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

test('F38 secrets from a variable, a file, a program and a URL are found nowhere', { timeout: 300_000 }, async () => {
  for (const job of ['variable', 'file', 'program']) {
    // The store of a webhook's words: what it is sent, in the message of the failure.
    receiver.answers.push({ status: 403, body: `no entry for ${canaries.url}` });
    await run('run', job);
    expectCode(await run('verify', `${job}@latest`), 0);
  }
  expectCode(await run('restore', 'variable@latest', '--to', 'restored.sqlite', '--debug'), 0);
  expectCode(await run('run', 'gone', '--json', '--debug'), 3);
  for (const command of [
    ['config', 'show'],
    ['config', 'validate'],
    ['history', '--json'],
    ['show', 'file@latest'],
  ]) {
    expectCode(await run(...command, '--debug'), 0);
  }
  await chmod(place.path('secret'), 0o644);
  expectCode(await run('run', 'file'), 2);

  expect(watched).toMatch(/bzip2/);
  for (const secret of Object.values(canaries)) {
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
      expect(printed).not.toContain(form);
      expect(watched).not.toContain(form);
      expect(await filesWith(form)).toEqual([]);
    }
  }
});

test('F38 nor the password of a URL that is pasted with its slashes', { timeout: 60_000 }, async () => {
  const secret = 'canary-Lw5';
  const url = `redis://u:ab/${secret}@h`;
  const config = await readFile(place.path('dbbackup.yaml'), 'utf8');
  await place.configure(
    config
      .replace('sources: {', `sources: { cache: { type: redis, url: "${url}" },`)
      .replace(
        'jobs:',
        'jobs:\n  plain: { source: shop, destinations: disk }\n  cache: { source: cache, destinations: disk }',
      )
      .concat('keepConfig: true\n'),
  );
  expect(expectCode(await run('run', 'cache'), 2).stderr).toMatch(/cannot read the URL/);
  expectCode(await run('run', 'plain'), 0);
  expectCode(await run('config', 'show'), 0);
  expect(printed).toMatch(/redis:\/\/u:\*\*\*@h/);
  // On the command line it is for its user to see.
  const others = [
    await place.run('restore', 'plain@latest', '--to', url),
    await place.run(
      ...['init', '--config', 'new.yaml', '--source', 'redis', '--url', url, '--destination', './b', '--job', 'j'],
      ...['--encryption', 'none', '--secrets', 'file', '--no-test', '--no-run', '--yes'],
    ),
  ];
  for (const each of others) printed += expectCode(each, 2).stderr + each.stdout;
  expect(others[1]?.stderr).toMatch(/write \/ in it as %2F/);
  expect(printed).not.toContain(secret);
  expect(watched).not.toContain(secret);
  expect(await filesWith(secret)).toEqual([]);
});

/** All but those that hold it by right: history and its -wal, locks, sidecars, states, backups, temporaries. */
async function filesWith(secret: string): Promise<string[]> {
  const entries = await readdir(place.folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const own = ['secret', 'tell', 'dbbackup.yaml'].map((name) => place.path(name));
  const found: string[] = [];
  for (const file of files.filter((each) => !own.includes(each))) {
    if ((await readFile(file)).includes(secret)) found.push(file);
  }
  expect(files.length, `only ${readdirSync(place.folder)}`).toBeGreaterThan(own.length + 6);
  return found;
}
