/** Keys through the built program: made, changed, and asked after before one is thrown away. */
import { execFileSync } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillNasty, fingerprintOf } from '../servers/sqlite-nasty.ts';
import { backupsOf } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

interface Made {
  readonly file: string;
  readonly publicPart?: string;
  readonly fingerprint: string;
}

interface Needed {
  readonly keys: readonly Record<string, unknown>[];
  readonly unknown: number;
}

let place: Workplace;
beforeAll(async () => {
  place = await makeWorkplace();
});
afterAll(() => place.remove());

async function keygen(file: string, type: string): Promise<Made> {
  const [made] = events<Made>(expectCode(await place.run('keygen', file, '--type', type, '--json'), 0));
  if (!made) throw new Error('keygen printed nothing');
  return made;
}

describe('keygen', () => {
  test.each([
    ['age', /^AGE-SECRET-KEY-1/, /^age1/],
    ['aes-256-gcm', /^[0-9a-f]{64}$/, undefined],
    ['signing', /^ed25519-secret:/, /^ed25519-public:/],
  ])('%s: a file for its owner alone, never overwritten; only what is public is printed', async (type, form, shown) => {
    const file = place.path(`fresh.${type}`);
    const printed = expectCode(await place.run('keygen', file, '--type', type), 0);
    const content = await readFile(file, 'utf8');
    const secret = content.split('\n').find((line) => line !== '' && !line.startsWith('#')) ?? '';
    expect(secret).toMatch(form);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(printed.stdout + printed.stderr).not.toContain(secret);
    const fingerprint = /fingerprint\s+([0-9a-f]{16,32})$/m.exec(printed.stdout)?.[1];
    expect(content).toContain(`# fingerprint: ${fingerprint}`);
    const values = printed.stdout.split('\n').map((line) => line.replace(/^\S+( key)?\s+/, ''));
    if (shown) expect(values).toContainEqual(expect.stringMatching(shown));
    const again = expectCode(await place.run('keygen', file, '--type', type), 2);
    expect(again.stderr).toContain('never overwritten');
    expect(await readFile(file, 'utf8')).toBe(content);
  });

  test('an age identity is one to the age command', () => {
    const recipient = execFileSync('age-keygen', ['-y', place.path('fresh.age')], { encoding: 'utf8' }).trim();
    expect(recipient).toMatch(/^age1/);
  });
});

describe('a rotation', () => {
  let original: unknown;
  const made: Record<string, Made> = {};
  let count = 0;
  const shop = 'sources: { shop: { type: sqlite, path: shop.sqlite } }';
  const places = `destinations: { disk: { type: local, path: backups }, usb: { type: local, path: usb } }`;
  const job = (name: string, destinations: string) =>
    `  ${name}: { source: shop, destinations: ${destinations}, encryption: ${name} }`;
  const configure = (profiles: string, jobs: readonly string[]) =>
    place.configure(`${[shop, places, 'encryption:', profiles, 'jobs:', ...jobs].join('\n')}\n`);
  const both = [job('aes', '[disk, usb]'), job('age', 'disk')];

  async function needed(): Promise<Needed> {
    const [answer] = events<Needed>(expectCode(await place.run('keys', '--json'), 0));
    if (!answer) throw new Error('keys said nothing');
    return answer;
  }
  async function keysInOrderOfJobs(jobName: string): Promise<string[]> {
    const keys = (await backupsOf(place)).map(({ destination, key }) => `${destination}:${key}`);
    return keys.filter((key) => key.startsWith(`disk:${jobName}/`)).reverse();
  }

  beforeAll(async () => {
    fillNasty(place.path('shop.sqlite'));
    original = fingerprintOf(place.path('shop.sqlite'));
    for (const name of ['old', 'new', 'spare']) {
      made[`${name}.key`] = await keygen(`${name}.key`, 'aes-256-gcm');
      made[`${name}.agekey`] = await keygen(`${name}.agekey`, 'age');
    }
    const recipient = (name: string) => made[`${name}.agekey`]?.publicPart;
    const before = `  aes: { type: aes-256-gcm, keyFile: old.key }
  age: { type: age, recipients: ["${recipient('old')}", "${recipient('spare')}"], identityFile: old.agekey }`;
    await configure(before, both);
    expectCode(await place.run('run', 'aes', 'age'), 0);
    const after = `  aes: { type: aes-256-gcm, keyFile: new.key, previousKeys: ["\${file:spare.key}", "\${file:old.key}"] }
  age: { type: age, recipients: ["${recipient('new')}"], identityFile: new.agekey, identities: ["\${file:old.agekey}"] }`;
    await configure(after, both);
    expectCode(await place.run('run', 'aes', 'age'), 0);
  });

  test('new backups take the new key; old ones restore with the old key, found by its id', async () => {
    for (const name of ['aes', 'age']) {
      const backups = await keysInOrderOfJobs(name);
      expect(backups).toHaveLength(2);
      for (const backup of backups) {
        const to = place.path(`rotated-${count++}.sqlite`);
        expectCode(await place.run('restore', backup, '--to', to), 0);
        expect([backup, fingerprintOf(to)]).toEqual([backup, original]);
      }
    }
  });

  test('keys tells which ones living backups need, copies counted once', async () => {
    const { keys, unknown } = await needed();
    const about = Object.fromEntries(keys.map((key) => [key['fingerprint'], key]));
    const id = (name: string) => made[name]?.fingerprint ?? '';
    const aes = { type: 'aes-256-gcm', profiles: ['aes'], backups: 1, onlyKeyOf: 1, destinations: ['disk', 'usb'] };
    const age = { type: 'age', profiles: ['age'], backups: 1, destinations: ['disk'] };
    expect(unknown).toBe(0);
    expect(keys).toHaveLength(5);
    expect(about[id('old.key')]).toMatchObject(aes);
    expect(about[id('new.key')]).toMatchObject(aes);
    expect(about[id('old.agekey')]).toMatchObject({ ...age, onlyKeyOf: 0 });
    expect(about[id('spare.agekey')]).toMatchObject({ ...age, onlyKeyOf: 0 });
    expect(about[id('new.agekey')]).toMatchObject({ ...age, onlyKeyOf: 1 });
    expect(expectCode(await place.run('keys'), 0).stdout).toContain(id('old.agekey'));
  });

  test('keys goes by what is stored: a profile that is gone counts, a backup that is gone does not', async () => {
    const [oldAes = ''] = await keysInOrderOfJobs('aes');
    await configure(`  age: { type: age, recipients: ["${made['new.agekey']?.publicPart}"] }`, [job('age', 'disk')]);
    const ids = async () => (await needed()).keys.map((key) => key['fingerprint']);
    expect(await ids()).toContain(made['new.key']?.fingerprint);
    // Its data is lost on one side, the copy still needs the key.
    await rm(place.path('backups', oldAes.replace('disk:', '')));
    expect(await ids()).toContain(made['old.key']?.fingerprint);
    expectCode(await place.run('delete', oldAes.replace('disk:', 'usb:'), '--yes'), 0);
    expect(await ids()).not.toContain(made['old.key']?.fingerprint);
    const [, newAes = ''] = await keysInOrderOfJobs('aes');
    await rm(`${place.path('usb', newAes.replace('disk:', ''))}.meta.json`);
    expect(await needed()).toMatchObject({ unknown: 1 });
    expect(expectCode(await place.run('keys'), 0).stdout).toContain('1 encrypted file');
    // What needs the old key says so by the key's id.
    const refused = await place.run('restore', newAes, '--to', place.path('refused.sqlite'));
    expect(expectCode(refused, 5).stderr).toContain(made['new.key']?.fingerprint);
  });
});
