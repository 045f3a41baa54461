import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encryptAes } from '../../../src/crypto/aes-256-gcm/writer.ts';
import { writeRecoveryKit } from '../../../src/crypto/recovery-kit/recovery-kit.ts';
import { decryptionStep } from '../../../src/crypto/recovery-recipe.ts';
import { plaintext, ring, seal } from './drive.ts';

const key = Buffer.alloc(32, 5);
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-kit-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the recovery kit', () => {
  it('decrypts by the very command of the recipe, with the key that it holds', async () => {
    const kit = join(folder, 'kit');
    await writeRecoveryKit(kit, { keys: ring({ keys: [key], passphrases: ['päss phrase'] }) });
    expect((await readdir(kit)).sort()).toEqual(['README.txt', 'backup.key', 'decrypt.mjs', 'passphrase.txt']);
    expect((await stat(kit)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(kit)) expect((await stat(join(kit, name))).mode & 0o777).toBe(0o600);
    const byKey = await encryptAes({ key });
    const byPassphrase = await encryptAes({ passphrase: 'päss phrase' });
    for (const stage of [byKey, byPassphrase]) {
      const name = `${stage === byKey ? 'key' : 'pass'}.sql`;
      await writeFile(join(kit, `${name}.enc`), await seal(stage, [plaintext(200_000)]));
      execFileSync('sh', ['-ec', decryptionStep(stage.result()).command(`${name}.enc`, name)], {
        cwd: kit,
        stdio: 'pipe',
      });
      expect((await readFile(join(kit, name))).equals(plaintext(200_000))).toBe(true);
      expect((await stat(join(kit, name))).mode & 0o777).toBe(0o600);
    }
  });

  it('overwrites nothing: neither a kit nor an output', async () => {
    const kit = join(folder, 'kit');
    await writeRecoveryKit(kit);
    expect((await readdir(kit)).sort()).toEqual(['README.txt', 'decrypt.mjs']);
    await expect(writeRecoveryKit(kit)).rejects.toMatchObject({ code: 'USAGE' });
    await writeFile(join(kit, 'a.enc'), await seal(await encryptAes({ key }), [plaintext(10)]));
    await writeFile(join(kit, 'backup.key'), key.toString('base64'));
    await writeFile(join(kit, 'a'), 'mine');
    const run = spawnSync(process.execPath, ['decrypt.mjs', 'a.enc', 'a', '--key', 'backup.key'], {
      cwd: kit,
      encoding: 'utf8',
    });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('a exists already');
    expect(await readFile(join(kit, 'a'), 'utf8')).toBe('mine');
    expect((await readdir(kit)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('fits in one sitting and needs nothing but node', async () => {
    const script = await readFile(new URL('../../../src/crypto/recovery-kit/decrypt.mjs', import.meta.url), 'utf8');
    expect(script.split('\n').length).toBeLessThanOrEqual(160);
    expect([...script.matchAll(/from '([^']+)'/g)].every(([, from]) => from?.startsWith('node:'))).toBe(true);
  });
});
