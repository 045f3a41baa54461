import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { DbBackupError } from '../../../../src/errors.ts';
import { encodeFolder, type MemberSum } from '../../../../src/pipeline/bundle/manifest.ts';
import { BundleReader } from '../../../../src/pipeline/bundle/read-bundle.ts';
import { type MemberSource, writeBundle } from '../../../../src/pipeline/bundle/write-bundle.ts';

const mebi = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'dbbackup-bundle-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function member(name: string, ...chunks: Buffer[]): MemberSource {
  const about = { folder: encodeFolder(name), kind: 'database', name, format: 'custom', extension: '.dump' } as const;
  return { ...about, open: async () => ({ stream: Readable.from(chunks), tables: async () => ({ 'public.t': 3 }) }) };
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** In pieces of an odd size, so that nothing hangs on where a chunk ends. */
function inPieces(bundle: Buffer, size = 10_007): Readable {
  const count = Math.ceil(bundle.length / size);
  const pieces = Array.from({ length: count }, (_, at) => bundle.subarray(at * size, (at + 1) * size));
  return Readable.from(pieces);
}

async function readAll(bundle: Buffer, expected?: readonly MemberSum[]): Promise<Record<string, Buffer>> {
  const reader = await BundleReader.open(inPieces(bundle));
  const found: Record<string, Buffer> = {};
  for await (const each of reader.members(expected)) found[each.name] = await bytesOf(each.stream);
  return found;
}

const odd = ['plain', `it's "quoted"`, 'два слова', '--help', '../x', 'manifest.json', 'a*b?[c]', `${'长'.repeat(60)}`];

describe('a bundle', () => {
  test.each([
    1,
    511,
    512,
    513,
    4 * mebi - 1,
    4 * mebi,
    4 * mebi + 1,
    9 * mebi + 3,
  ])('gives a member of %i bytes back', async (size) => {
    const content = randomBytes(size);
    const chunks = [content.subarray(0, size >> 1), content.subarray(size >> 1)].filter((each) => each.length > 0);
    const { stream, sums } = writeBundle('postgres', [member('one', ...chunks), member('two', Buffer.from('2'))]);
    const bundle = await bytesOf(stream);
    const found = await readAll(bundle, sums());
    expect(found['one']?.equals(content)).toBe(true);
    expect(found['two']?.toString()).toBe('2');
    expect(sums()[0]).toEqual({
      folder: 'one',
      parts: Math.ceil(size / (4 * mebi)),
      bytes: size,
      sha256: createHash('sha256').update(content).digest('hex'),
    });
  });

  test('is read by tar, whatever the databases are called', async () => {
    const contents = odd.map((name) => Buffer.concat([Buffer.from(name), randomBytes(5 * mebi)]));
    const members = odd.map((name, at) => member(name, contents[at] ?? Buffer.alloc(0)));
    const path = join(folder, 'odd.tar');
    writeFileSync(path, await bytesOf(writeBundle('postgres', members).stream));
    const tar = (...args: string[]) => execFileSync('tar', args, { maxBuffer: 64 * mebi, stdio: 'pipe' });
    expect(tar('-tf', path).toString().split('\n')).toHaveLength(2 + 2 * odd.length + 1);
    for (const [at, { folder: place }] of members.entries()) {
      expect(tar('-xOf', path, place).equals(contents[at] ?? Buffer.alloc(0)), place).toBe(true);
    }
    expect(JSON.parse(tar('-xOf', path, 'end.json').toString()).members[0].tables).toEqual({ 'public.t': 3 });
  });

  test('is refused when a byte of it is another one, missing or too many', async () => {
    const { stream, sums } = writeBundle('postgres', [
      member('one', randomBytes(3000)),
      member('长'.repeat(60), randomBytes(1200)),
    ]);
    const bundle = await bytesOf(stream);
    await readAll(bundle, sums());
    for (let at = 0; at < bundle.length; at += 7) {
      const flipped = Buffer.from(bundle);
      flipped[at] = (flipped[at] ?? 0) ^ 0x41;
      const outcome = await readAll(flipped, sums()).then(
        (found) => Object.values(found).map((each) => createHash('sha256').update(each).digest('hex')),
        (error: unknown) => error,
      );
      // What tar keeps beside the content (mode, date) is covered by the header's checksum, counts by end.json.
      if (Array.isArray(outcome)) expect(outcome).toEqual(sums().map((each) => each.sha256));
      else expect(outcome).toBeInstanceOf(DbBackupError);
    }
    for (let end = 0; end < bundle.length; end += 101) {
      await expect(readAll(bundle.subarray(0, end), sums())).rejects.toMatchObject({ code: 'DUMP_INCOMPLETE' });
    }
    await expect(readAll(Buffer.concat([bundle, Buffer.alloc(1)]))).rejects.toMatchObject({ code: 'INTEGRITY' });
  });

  test('does not end a member that is not what was recorded', async () => {
    const { stream, sums } = writeBundle('postgres', [member('one', Buffer.from('1'))]);
    const bundle = await bytesOf(stream);
    const other = [{ ...(sums()[0] as MemberSum), sha256: '0'.repeat(64) }];
    await expect(readAll(bundle, other)).rejects.toThrow('one is not what was recorded');
    await expect(readAll(bundle, [])).rejects.toThrow('the sidecar knows nothing');
  });

  test('errors with what a member says, and never ends', async () => {
    const broken: MemberSource = {
      ...member('broken'),
      open: async () => ({
        stream: Readable.from(
          (async function* () {
            yield randomBytes(mebi);
            throw new DbBackupError('TOOL_FAILED', 'pg_dump was killed');
          })(),
        ),
      }),
    };
    const { stream } = writeBundle('postgres', [member('one', Buffer.from('1')), broken, member('three')]);
    await expect(bytesOf(stream)).rejects.toMatchObject({ code: 'TOOL_FAILED', message: /database broken/ });
    await expect(bytesOf(writeBundle('postgres', [member('empty')]).stream)).rejects.toMatchObject({
      code: 'DUMP_EMPTY',
    });
  });

  test('can be given up while a member is silent', async () => {
    let seen: AbortSignal | undefined;
    const silent: MemberSource = {
      ...member('silent'),
      open: async (signal) => {
        seen = signal;
        return { stream: new Readable({ read() {} }) };
      },
    };
    const { stream } = writeBundle('postgres', [silent]);
    stream.on('error', () => {}).resume();
    while (seen === undefined) await delay(5);
    stream.destroy(new Error('enough'));
    await new Promise((resolve) => stream.once('close', resolve));
    expect(seen.aborted).toBe(true);
  });

  test('can be given up while it is read', async () => {
    const bundle = await bytesOf(writeBundle('postgres', [member('one', randomBytes(mebi))]).stream);
    const source = new Readable({ read() {} });
    source.push(bundle.subarray(0, 4096));
    const reader = await BundleReader.open(source);
    for await (const each of reader.members()) {
      each.stream.on('error', () => {}).resume();
      await delay(20);
      each.stream.destroy(new Error('enough'));
      await new Promise((resolve) => each.stream.once('close', resolve));
      break;
    }
    expect(source.destroyed).toBe(true);
  });
});
