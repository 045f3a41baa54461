/** What the built program tells, and whom, through whole runs; receivers are real HTTP servers. */
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeQuickWorkplace } from '../fault/faulty-app.ts';
import { deadUrl, type HttpReceiver, startHttpReceiver } from '../servers/http-receiver.ts';
import { makeShop } from '../servers/small-shop.ts';
import { backupsOf, historyOf } from './aftermath.ts';
import { events, expectCode, type Workplace } from './cli.ts';

let place: Workplace;
let receiver: HttpReceiver;

beforeEach(async () => {
  receiver = await startHttpReceiver();
  place = await makeQuickWorkplace();
  makeShop(place.path('shop.sqlite'));
});
afterEach(async () => {
  await receiver.close();
  await place.remove();
});

/** One job `shop`; `notifications` as YAML lines, all of them told. */
async function configure(notifications: readonly string[], job = ''): Promise<void> {
  const names = notifications.map((line) => line.split(':')[0]);
  await place.configure(`
sources: { shop: { type: sqlite, path: ./shop.sqlite } }
destinations: { disk: { type: local, path: ./backups } }
notifications:
${notifications.map((line) => `  ${line}`).join('\n')}
jobs:
  shop:
    source: shop
    destinations: disk
    notify: [${names.join(', ')}]
${job}
`);
}

const breakSource = () => rename(place.path('shop.sqlite'), place.path('away'));
const mendSource = () => rename(place.path('away'), place.path('shop.sqlite'));

interface Told {
  readonly event: string;
  readonly title: string;
  readonly text: string;
  readonly log: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}
const told = () => receiver.received.map(({ body }) => JSON.parse(body) as Told);

describe('a webhook', () => {
  test('is told of a failure once, then of the recovery, and of successes only where it wants them', async () => {
    await configure([`ops: { type: webhook, url: "${receiver.url}/ops" }`]);
    expectCode(await place.run('run', 'shop'), 0);
    expect(told()).toEqual([]);
    await breakSource();
    for (let time = 0; time < 3; time++) expectCode(await place.run('run', 'shop'), 3);
    expect(told()).toMatchObject([{ event: 'failure', error: { code: 'SOURCE_FAILED' } }]);
    expect(told()[0]?.title).toMatch(/^shop: backup FAILED on /);
    await mendSource();
    expectCode(await place.run('run', 'shop'), 0);
    expectCode(await place.run('run', 'shop'), 0);
    expect(told().map(({ event }) => event)).toEqual(['failure', 'recovery']);
    expect(told()[1]?.title).toMatch(/^shop: backup works again on /);
    await breakSource();
    expectCode(await place.run('run', 'shop'), 3);
    expect(told().map(({ event }) => event)).toEqual(['failure', 'recovery', 'failure']);
  });

  test('is told again of the same failure where that is wanted, and of another one at once', async () => {
    await configure([
      `often: { type: webhook, url: "${receiver.url}/often", cooldown: 0s }`,
      `seldom: { type: webhook, url: "${receiver.url}/seldom" }`,
    ]);
    await breakSource();
    for (let time = 0; time < 2; time++) expectCode(await place.run('run', 'shop'), 3);
    const pathsOf = () => receiver.received.map(({ path }) => path).sort();
    expect(pathsOf()).toEqual(['/often', '/often', '/seldom']);
    await configure([`seldom: { type: webhook, url: "${receiver.url}/seldom" }`], '    hooks: { before: ["false"] }');
    expectCode(await place.run('run', 'shop'), 3);
    expect(told().at(-1)).toMatchObject({ event: 'failure', error: { code: 'HOOK_FAILED' } });
  });

  test('that only wants failures is told of the next one after a success it was not told of', async () => {
    await configure([`pager: { type: webhook, url: "${receiver.url}/pager", on: failure }`]);
    for (const [prepare, code] of [
      [breakSource, 3],
      [mendSource, 0],
      [breakSource, 3],
      [() => {}, 3],
    ] as const) {
      await prepare();
      expectCode(await place.run('run', 'shop'), code);
    }
    expect(told().map(({ event }) => event)).toEqual(['failure', 'failure']);
  });

  test('forgotten memory costs a message more, never one less', async () => {
    await configure([`ops: { type: webhook, url: "${receiver.url}/ops" }`]);
    await breakSource();
    expectCode(await place.run('run', 'shop'), 3);
    expect(await readdir(place.path('state', 'notified'))).toEqual(['ops~shop.json']);
    await rm(place.path('state', 'notified'), { recursive: true });
    expectCode(await place.run('run', 'shop'), 3);
    await rm(place.path('state', 'notified'), { recursive: true });
    await mendSource();
    expectCode(await place.run('run', 'shop'), 0);
    expect(told().map(({ event }) => event)).toEqual(['failure', 'failure', 'recovery']);
  });

  test('that answers 500 is tried again', async () => {
    await configure([`ops: { type: webhook, url: "${receiver.url}/ops", on: success }`]);
    receiver.answers.push({ status: 500 });
    expectCode(await place.run('run', 'shop'), 0);
    expect(told().map(({ event }) => event)).toEqual(['success', 'success']);
  });

  test('that refuses is not tried again; the backup stands, the exit code is 8, the log tells', async () => {
    await configure([`ops: { type: webhook, url: "${receiver.url}/canary-8f3kQ", on: success }`]);
    receiver.answers.push({ status: 404, body: 'no such hook' });
    const run = expectCode(await place.run('run', 'shop'), 8);
    expect(run.stderr).toMatch(/warning .*notification ops was not sent: webhook at .* answered 404 no such hook/);
    expect(receiver.received).toHaveLength(1);
    expect(await backupsOf(place)).toMatchObject([{ condition: 'complete' }]);
    const [execution] = await historyOf(place);
    expect(execution?.status).toBe('completed');
    const log = await place.run('logs', execution?.id ?? '');
    expect(log.stdout).toContain('notification ops was not sent');
  });

  test('that cannot be reached does not hide the failure of the run', async () => {
    await configure([`ops: { type: webhook, url: "${await deadUrl()}" }`]);
    await breakSource();
    const run = expectCode(await place.run('run', 'shop'), 3);
    expect(run.stderr).toContain('notification ops was not sent');
    expect(run.stderr).toMatch(/^error .*shop/m);
  });

  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the config
  const missing = 'ops: { type: slack, url: "${NOT_SET_ANYWHERE}" }';
  test('whose secret is missing is told on every run, not only when it is needed', async () => {
    await configure([missing]);
    const run = expectCode(await place.run('run', 'shop'), 8);
    expect(run.stderr).toContain('NOT_SET_ANYWHERE');
    expect(await backupsOf(place)).toMatchObject([{ condition: 'complete' }]);
  });
});

describe('a heartbeat', () => {
  const paths = () => receiver.received.map(({ path }) => path.split('?')[0]);

  test('gets the start and the end of every run, with the log', async () => {
    await configure([`pulse: { type: heartbeat, url: "${receiver.url}/uuid" }`]);
    expectCode(await place.run('run', 'shop'), 0);
    await breakSource();
    expectCode(await place.run('run', 'shop'), 3);
    expectCode(await place.run('run', 'shop'), 3);
    const failed = ['/uuid/start', '/uuid/fail'];
    expect(paths()).toEqual(['/uuid/start', '/uuid', ...failed, ...failed]);
    const runIds = receiver.received.map(({ path }) => new URLSearchParams(path.split('?')[1]).get('rid'));
    expect(runIds[0]).toBe(runIds[1]);
    expect(receiver.received[1]?.body).toContain('step: publish');
    expect(receiver.received[5]?.body).toContain('SOURCE_FAILED');
  });

  test('hears nothing of a run that found another at work, nor of its start', async () => {
    await configure([`pulse: { type: heartbeat, url: "${receiver.url}/uuid" }`], '    hooks: { before: ["sleep 60"] }');
    const first = place.start(['run', 'shop']);
    await receiver.arrived(1);
    expectCode(await place.run('run', 'shop'), 6);
    expect(paths()).toEqual(['/uuid/start']);
    first.child.kill('SIGINT');
    expectCode(await first.ended, 130);
    expect(paths()).toEqual(['/uuid/start']);
  });

  test('hears of a run that was terminated', async () => {
    await configure([`pulse: { type: heartbeat, url: "${receiver.url}/uuid" }`], '    hooks: { before: ["sleep 60"] }');
    const run = place.start(['run', 'shop']);
    await receiver.arrived(1);
    run.child.kill('SIGTERM');
    expectCode(await run.ended, 143);
    expect(paths()).toEqual(['/uuid/start', '/uuid/fail']);
    expect(receiver.received[1]?.body).toContain('TERMINATED');
  });
});

test('Prometheus reads the last success beside the newest failure', async () => {
  await configure(['metrics: { type: prometheus, folder: . }']);
  expectCode(await place.run('run', 'shop'), 0);
  const first = await readFile(place.path('dbbackup_shop.prom'), 'utf8');
  await breakSource();
  expectCode(await place.run('run', 'shop'), 3);
  const second = await readFile(place.path('dbbackup_shop.prom'), 'utf8');
  expect(first).toContain('status="completed"} 1');
  expect(second).toContain('status="failed"} 1');
  const bytes = /^dbbackup_last_success_stored_bytes.*$/m;
  expect(bytes.exec(second)?.[0]).toBe(bytes.exec(first)?.[0]);
  expect(first).toMatch(bytes);
});

test('several channels are told at once, and one that fails does not keep the others', async () => {
  await configure([
    `dead: { type: webhook, url: "${receiver.url}/dead", on: success }`,
    `chat: { type: discord, url: "${receiver.url}/chat", on: success }`,
    `push: { type: ntfy, topic: shop, server: "${receiver.url}", on: success }`,
  ]);
  receiver.answers.push({ status: 400 }, { status: 200 }, { status: 200 });
  expectCode(await place.run('run', 'shop'), 8);
  expect(receiver.received.map(({ path }) => path).sort()).toEqual(['/', '/chat', '/dead']);
});

describe('notify test', () => {
  test('sends one message and shows the answer', async () => {
    await configure([`chat: { type: slack, url: "${receiver.url}/services/x" }`]);
    receiver.answers.push({ status: 200, body: 'ok' });
    const run = expectCode(await place.run('notify', 'test', 'chat', '--json'), 0);
    expect(events(run)).toEqual([{ notification: 'chat', type: 'slack', sent: true, answer: '200 ok' }]);
    expect(receiver.received[0]?.body).toContain('test of the notification chat');
  });

  test('fails with 8 where it does not arrive, and with 2 for an unknown name', async () => {
    await configure([`chat: { type: slack, url: "${receiver.url}/services/x" }`]);
    receiver.answers.push({ status: 404, body: 'no_service' });
    expect(expectCode(await place.run('notify', 'test', 'chat'), 8).stderr).toContain('404 no_service');
    expect(expectCode(await place.run('notify', 'test', 'chta'), 2).stderr).toContain('Did you mean "chat"?');
  });
});

test('F38 no channel, message, log or history shows a secret', async () => {
  const canary = 'canary-5Gh2mQx9';
  const secretUrl = `${receiver.url}/services/T0CANARY1/${canary}`;
  await configure(
    [
      `hook: { type: webhook, url: "${secretUrl}", secret: ${canary}-hmac, on: [success, failure], cooldown: 0s, headers: { X-Key: ${canary}-head } }`,
      `chat: { type: slack, url: "\${SLACK_URL}", on: [success, failure], cooldown: 0s }`,
      `pulse: { type: heartbeat, url: "${secretUrl}" }`,
    ],
    `    hooks: { before: ["sh -c 'echo out $CANARY; echo err $CANARY >&2; exit 1'"] }`,
  );
  // The password of the source's own secret stands for any: it is registered by looking it up.
  const env = { SLACK_URL: secretUrl, CANARY: canary };
  for (let count = 0; count < 3; count++) receiver.answers.push({ status: 403, body: `bad ${canary}` });
  const run = expectCode(await place.start(['run', 'shop', '--json', '--debug'], env).ended, 3);
  expect(run.stderr).toContain('was not sent');
  const [execution] = await historyOf(place);
  const log = await place.start(['logs', execution?.id ?? ''], env).ended;
  expect(log.stdout).toContain('out ***');
  expect(log.stdout).toContain('err ***');
  const shown = await place.start(['config', 'show'], env).ended;
  const bodies = receiver.received.map(({ body }) => body).join('\n');
  expect(bodies).toContain('out ***');
  const state = await readFile(place.path('state', 'history.sqlite'), 'latin1');
  for (const text of [run.stdout, run.stderr, log.stdout, shown.stdout, bodies, state]) {
    expect(text).not.toContain(canary);
    expect(text).not.toContain('T0CANARY1');
  }
});
