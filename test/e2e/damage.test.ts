/** Any change of a stored backup is told by `verify` and `restore` with exit 5, before the target is touched. */
import { copyFile, readdir, readFile, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillNasty } from '../servers/sqlite-nasty.ts';
import { backupsOf } from './aftermath.ts';
import { openCampaign } from './campaign.ts';
import { events, expectCode, makeWorkplace, type Workplace } from './cli.ts';

const campaign = openCampaign('damage', 2);
const timeout = 60_000 + campaign.rounds * 30_000;
const jobs = ['none', 'gzip', 'brotli', 'zstd', 'bzip2'] as const;
const config = `
sources: { shop: { type: sqlite, path: shop.sqlite } }
destinations: { disk: { type: local, path: backups } }
jobs:
${jobs.map((codec) => `  ${codec}: { source: shop, destinations: disk, compression: ${codec} }`).join('\n')}
  sql: { source: shop, destinations: disk, format: sql }
`;

describe('a damaged backup', () => {
  let place: Workplace;
  const keys = new Map<string, string>();
  let folder: string;
  const fileOf = (job: string) => place.path('backups', keys.get(job) ?? '');

  beforeAll(async () => {
    place = await makeWorkplace();
    folder = place.path();
    await place.configure(config);
    fillNasty(place.path('shop.sqlite'));
    expectCode(await place.run('run', '--all'), 0);
    for (const { key } of await backupsOf(place)) keys.set(key.split('/')[0] ?? '', key);
  });
  afterAll(() => place.remove());

  /** Damages, expects the verdict of both commands, and puts things right again. */
  async function expectRefused(job: string, damage: (file: string) => Promise<unknown>, code = 5): Promise<string> {
    const file = fileOf(job);
    const kept = [file, `${file}.meta.json`];
    for (const path of kept) await copyFile(path, place.path(`kept-${kept.indexOf(path)}`));
    try {
      await damage(file);
      const verified = expectCode(await place.run('verify', `disk:${keys.get(job)}`), code);
      const before = await namesIn(folder);
      const restored = expectCode(
        await place.run('restore', `backups/${keys.get(job)}`, '--to', 'target.sqlite'),
        code,
      );
      expect(await namesIn(folder)).toEqual(before);
      return verified.stderr + restored.stderr;
    } finally {
      for (const path of kept) await copyFile(place.path(`kept-${kept.indexOf(path)}`), path);
    }
  }

  async function edit(file: string, change: (sidecar: Record<string, Record<string, unknown>>) => void) {
    const sidecar = JSON.parse(await readFile(`${file}.meta.json`, 'utf8'));
    change(sidecar);
    await writeFile(`${file}.meta.json`, JSON.stringify(sidecar));
  }

  test('any byte flipped', { timeout }, async () => {
    for (let round = 0; round < campaign.rounds; round++) {
      await expectRefused(campaign.pick(jobs), async (file) => {
        const content = await readFile(file);
        const at = campaign.below(content.length);
        content[at] = (content[at] ?? 0) ^ (1 << campaign.below(8));
        await writeFile(file, content);
      });
    }
  });

  test('cut off anywhere', { timeout }, async () => {
    for (let round = 0; round < campaign.rounds; round++) {
      const message = await expectRefused(campaign.pick(jobs), async (file) => {
        await truncate(file, campaign.below((await stat(file)).size));
      });
      expect(message).toMatch(/its sidecar says \d+/);
    }
  });

  test.each(['zeros', 'garbage', 'another whole file'])('extended by %s', async (what) => {
    await expectRefused('gzip', async (file) => {
      const content = await readFile(file);
      const more = { zeros: Buffer.alloc(100), garbage: Buffer.from('garbage'), 'another whole file': content }[what];
      await writeFile(file, Buffer.concat([content, more ?? Buffer.alloc(0)]));
    });
  });

  test('its own length, but other content', async () => {
    await expectRefused('zstd', async (file) => writeFile(file, Buffer.alloc((await stat(file)).size)));
  });

  test('F35 a sidecar that is another backup’s', async () => {
    const message = await expectRefused('zstd', (file) => copyFile(`${fileOf('gzip')}.meta.json`, `${file}.meta.json`));
    expect(message).toMatch(/its sidecar describes/);
  });

  test('F35 data that is another backup’s', async () => {
    await expectRefused('zstd', (file) => copyFile(fileOf('gzip'), file));
  });

  test.each<[string, Parameters<typeof edit>[1]]>([
    ['stored hash', ({ artifact }) => Object.assign(artifact ?? {}, { storedSha256: '0'.repeat(64) })],
    ['raw hash', ({ artifact }) => Object.assign(artifact ?? {}, { rawSha256: '0'.repeat(64) })],
    ['stored size', ({ artifact }) => Object.assign(artifact ?? {}, { storedBytes: 1 })],
    ['raw size', ({ artifact }) => Object.assign(artifact ?? {}, { rawBytes: 100 })],
    ['codec', (sidecar) => Object.assign(sidecar, { compression: { type: 'gzip' } })],
    ['codec, to none', (sidecar) => Object.assign(sidecar, { compression: { type: 'none' } })],
    ['encryption', (sidecar) => Object.assign(sidecar, { encryption: { type: 'age', headerSha256: '0'.repeat(64) } })],
    ['version', (sidecar) => Object.assign(sidecar, { version: '2.0' })],
    ['required field, left out', ({ artifact }) => Object.assign(artifact ?? {}, { storedSha256: undefined })],
    ['F34 name, to one that leads out', ({ artifact }) => Object.assign(artifact ?? {}, { name: '../../etc/passwd' })],
    ['F34 name, to an absolute one', ({ artifact }) => Object.assign(artifact ?? {}, { name: '/etc/passwd' })],
    ['F34 name, to another key', ({ artifact }) => Object.assign(artifact ?? {}, { name: 'other.sqlite' })],
  ])('F35 a sidecar with another %s', async (_, change) => {
    await expectRefused('zstd', (file) => edit(file, change));
  });

  test('F35 a sidecar that is no JSON, or empty', async () => {
    await expectRefused('zstd', (file) => writeFile(`${file}.meta.json`, '{"version":'));
    await expectRefused('zstd', (file) => writeFile(`${file}.meta.json`, ''));
  });

  test('F37 a sidecar of a gigabyte is not read, and neither hides the other backups', async () => {
    const message = await expectRefused('zstd', (file) => truncate(`${file}.meta.json`, 2 ** 30));
    expect(message).toMatch(/larger than \d+ bytes/);
    const backups = await backupsOf(place);
    expect(backups).toHaveLength(keys.size);
  });

  test('F37 a bomb: content beyond what the sidecar says stops at that size', async () => {
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(Buffer.alloc(200_000_000));
    const { createHash } = await import('node:crypto');
    const storedSha256 = createHash('sha256').update(bomb).digest('hex');
    const message = await expectRefused('gzip', async (file) => {
      await writeFile(file, bomb);
      await edit(file, ({ artifact }) => Object.assign(artifact ?? {}, { storedBytes: bomb.length, storedSha256 }));
    });
    expect(message).toMatch(/more|larger|beyond/);
  });

  test('a dump that was cut before it was stored is told by its end, whatever the hashes say', async () => {
    const { createHash } = await import('node:crypto');
    const cut = Buffer.from('PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE a(b);\n');
    const hash = createHash('sha256').update(cut).digest('hex');
    const file = fileOf('none');
    await expectVerdictOfCutDump(file, cut, hash);
  });

  async function expectVerdictOfCutDump(file: string, cut: Buffer, hash: string): Promise<void> {
    const [content, sidecar] = [await readFile(file), await readFile(`${file}.meta.json`)];
    await writeFile(file, cut);
    await edit(file, ({ artifact }) =>
      Object.assign(artifact ?? {}, {
        format: 'sql',
        rawBytes: cut.length,
        storedBytes: cut.length,
        rawSha256: hash,
        storedSha256: hash,
      }),
    );
    const run = expectCode(await place.run('verify', `disk:${keys.get('none')}`), 5);
    expect(run.stderr).toMatch(/incomplete dump/);
    await Promise.all([writeFile(file, content), writeFile(`${file}.meta.json`, sidecar)]);
  }

  test('data that is gone is told as that (exit 4), and verify --all names each bad one and still reads the others', async () => {
    const gone = await readFile(fileOf('brotli'));
    await unlink(fileOf('brotli'));
    expectCode(await place.run('verify', `disk:${keys.get('brotli')}`), 4);
    const run = expectCode(await place.run('verify', '--all', '--json'), 5);
    expect(events(run, 'error').filter((event) => 'key' in event)).toEqual([
      expect.objectContaining({ key: keys.get('brotli') }),
    ]);
    expect(events(run, 'result')).toHaveLength(keys.size - 1);
    await writeFile(fileOf('brotli'), gone);
    expectCode(await place.run('verify', '--all', '--quiet'), 0);
  });

  test('what a killed deletion has left is no backup: refused by name (exit 5), passed over by verify --all', async () => {
    const key = `disk:${keys.get('brotli')}`;
    const state = `${fileOf('brotli')}.state.json`;
    const before = await readFile(state);
    await writeFile(state, '{"version":"1.0","verifications":[],"deleting":{"at":"2026-11-20T03:00:00.000Z"}}');
    expect(expectCode(await place.run('verify', key), 5).stderr).toMatch(/deletion was interrupted/);
    const run = expectCode(await place.run('verify', '--all'), 0);
    expect(run.stdout + run.stderr).toContain(`${key}: passed over, its deletion was interrupted`);
    await writeFile(state, before);
  });
});

/** Not of the state folder, where the history grows. */
async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => !name.startsWith('state')).sort();
}
