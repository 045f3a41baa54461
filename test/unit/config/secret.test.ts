import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { resolveDefinition } from '../../../src/config/secret.ts';
import { redact } from '../../../src/redact.ts';
import { shopOptions } from './fake-catalog.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbbackup-secret-'));
});
afterEach(() => rm(folder, { recursive: true }));

function resolve(options: Record<string, unknown>, env: NodeJS.ProcessEnv = {}, schema: z.ZodType = shopOptions) {
  const definition = { name: 'db', type: 'shop', options, place: '/etc/dbbackup.yaml: sources.db' };
  return resolveDefinition(definition, { options: schema }, { env: { PATH: process.env['PATH'], ...env }, folder });
}

async function secretFile(content: string, mode = 0o600): Promise<void> {
  await writeFile(join(folder, 'secret'), content);
  await chmod(join(folder, 'secret'), mode);
}

describe('variables', () => {
  test('whole, within a text, and escaped', async () => {
    const options = { url: `shop://u:\${PW}@\${HOST}/db`, path: `$\${PW}`, password: `\${PW}` };
    expect(await resolve(options, { PW: 's3cret', HOST: 'db.internal' })).toEqual({
      url: 'shop://u:s3cret@db.internal/db',
      path: `\${PW}`,
      password: 's3cret',
    });
  });

  test('a default is used where the variable is not set or empty', async () => {
    const options = { password: `\${PW:-fallback}` };
    expect(await resolve(options)).toEqual({ password: 'fallback' });
    expect(await resolve(options, { PW: '' })).toEqual({ password: 'fallback' });
    expect(await resolve(options, { PW: 'set' })).toEqual({ password: 'set' });
    expect(await resolve({ password: `\${PW:-}` })).toEqual({ password: '' });
  });

  test.each([{}, { PW: '' }])('a missing or empty one names the variable and its place', async (env) => {
    await expect(resolve({ pool: { size: `\${PW}` } }, env)).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      exitCode: 2,
      message: '/etc/dbbackup.yaml: sources.db.pool.size needs the variable PW, which is not set or empty',
    });
  });

  test('its value is not read for references again', async () => {
    expect(await resolve({ password: `\${PW}` }, { PW: `\${HOME}$\${x}` })).toEqual({ password: `\${HOME}$\${x}` });
  });
});

describe('types', () => {
  test('text from outside becomes the number or boolean that is wanted', async () => {
    const options = { port: `\${PORT}`, tls: `\${TLS}`, pool: { size: `\${SIZE}` }, password: `\${PORT}` };
    expect(await resolve(options, { PORT: '5432', TLS: 'true', SIZE: '2.5' })).toEqual({
      port: 5432,
      tls: true,
      pool: { size: 2.5 },
      password: '5432',
    });
  });

  test('also inside a union', async () => {
    const schema = z.strictObject({ wait: z.union([z.number(), z.string().regex(/^\d+s$/)]) });
    expect(await resolve({ wait: `\${W}` }, { W: '5' }, schema)).toEqual({ wait: 5 });
    expect(await resolve({ wait: `\${W}` }, { W: '5s' }, schema)).toEqual({ wait: '5s' });
  });

  test('a literal is not bent into another type', async () => {
    await expect(resolve({ port: '5432' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('a value that does not fit is refused without being shown', async () => {
    const rejected = resolve({ port: `\${PORT}` }, { PORT: 'hunter2-port' });
    await expect(rejected).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: '/etc/dbbackup.yaml: sources.db.port: must be a number, not text',
    });
  });
});

describe('files', () => {
  test('lose one line end and are relative to the config', async () => {
    await secretFile('two\nlines\n\n');
    expect(await resolve({ password: `\${file:secret}` })).toEqual({ password: 'two\nlines\n' });
  });

  test('that are missing are refused with place and path', async () => {
    await expect(resolve({ password: `\${file:secret}` })).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      message: '/etc/dbbackup.yaml: sources.db.password: the secret cannot be had',
      cause: { message: `the secret file ${join(folder, 'secret')} cannot be read` },
    });
  });
});

describe('commands', () => {
  test('run without a shell, in the folder of the config, with the given environment', async () => {
    const options = { password: `\${exec:sh -c 'printf "%s|%s|" "$(pwd)" "$MARK"; printf "$1\\n"' sh '$X;{}'}` };
    expect(await resolve(options, { MARK: 'here' })).toEqual({ password: `${folder}|here|$X;{}` });
  });

  test.each([
    ['fails', 'sh -c "exit 3"'],
    ['does not exist', 'dbbackup-no-such-program'],
  ])('one that %s makes the secret unavailable, not the source failed', async (_, command) => {
    await expect(resolve({ password: `\${exec:${command}}` })).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      exitCode: 2,
    });
  });
});

describe('what was found is hidden everywhere', () => {
  test('variables, defaults, files, commands, literals and passwords inside URLs', async () => {
    await secretFile('canary-file\n');
    await resolve({ password: `\${V}`, mode: undefined, path: 'x' }, { V: 'canary-variable' });
    await resolve({ password: `\${NONE:-canary-default}` });
    await resolve({ password: `\${file:secret}` });
    await resolve({ password: `\${exec:printf canary-exec}` });
    await resolve({ password: 'canary-literal' });
    await resolve({ url: `\${URL}` }, { URL: 'shop://u:canary%2Furl@h/db' });
    await resolve({ url: 'host=h password=canary-dsn' });
    const names = ['variable', 'default', 'file', 'exec', 'literal', '/url', '%2Furl', '-dsn'];
    const leak = names
      .map((name) => `canary${name.startsWith('/') || name.startsWith('%') ? '' : '-'}${name}`)
      .join(' ');
    expect(redact(leak.replace('canary--dsn', 'canary-dsn'))).toBe('*** *** *** *** *** *** *** ***');
  });

  test('but not folders and hosts, which every message needs', async () => {
    await resolve({ path: `\${FOLDER}/db` }, { FOLDER: '/srv/plain-folder' });
    expect(redact('/srv/plain-folder/db')).toBe('/srv/plain-folder/db');
  });
});
