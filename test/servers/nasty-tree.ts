/** A folder that holds what breaks backups of files, and a way to compare two folders. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';

const at = (root: string, name: string | Buffer) =>
  Buffer.concat([Buffer.from(`${root}/`), typeof name === 'string' ? Buffer.from(name) : name]);

const oddNames: readonly (string | Buffer)[] = [
  '--help',
  '$(rm -rf x)',
  `it's "quoted"`,
  'two\nlines',
  ' spaces ',
  'back\\slash',
  'Łódź 東京 🙂',
  '...',
  '*',
  '-',
  '~',
  Buffer.from([0x66, 0xff, 0xfe, 0x80, 0x01]),
  'n'.repeat(100),
  'm'.repeat(101),
  'x'.repeat(255),
  Buffer.concat([Buffer.alloc(200, 0xe9), Buffer.from('.latin1')]),
];

/** Returns how many of what there is, as the sidecar tells it. */
export function makeNastyTree(root: string): Readonly<Record<string, number>> {
  mkdirSync(root);
  for (const [index, name] of oddNames.entries()) writeFileSync(at(root, name), `content ${index}\n`.repeat(index));
  const deep = Array.from({ length: 12 }, (_, index) => `${'deep'.repeat(10)}-${index}`);
  mkdirSync(at(root, deep.join('/')), { recursive: true });
  writeFileSync(at(root, `${deep.join('/')}/bottom`), 'bottom');
  mkdirSync(at(root, 'empty folder'));
  const sizes = [0, 1, 511, 512, 513, 65_536, 65_537];
  for (const size of sizes) writeFileSync(at(root, `size ${size}`), randomBytes(size));
  makeHoles(root);
  makeLinks(root, deep.join('/'));
  makeModes(root);
  setTimes(root);
  const files = oddNames.length + 1 + sizes.length + 2 + 1 + 3;
  return { files, folders: 1 + deep.length + 1 + 1 + 1, symlinks: 6, hardlinks: 2 };
}

function makeHoles(root: string): void {
  writeFileSync(at(root, 'sparse'), 'start');
  truncateSync(at(root, 'sparse'), 700_000);
  writeFileSync(at(root, 'sparse'), 'middle', { flag: 'a' });
  truncateSync(at(root, 'sparse'), 1_500_000);
  writeFileSync(at(root, 'zeros'), Buffer.alloc(100_000));
}

function makeLinks(root: string, deep: string): void {
  mkdirSync(at(root, 'links'));
  writeFileSync(at(root, 'links/first'), 'three names');
  linkSync(at(root, 'links/first'), at(root, 'links/second'));
  linkSync(at(root, 'links/first'), at(root, Buffer.from([0x7a, 0xff])));
  symlinkSync('first', at(root, 'links/to first'));
  symlinkSync('../size 1', at(root, 'links/up'));
  symlinkSync('nowhere', at(root, 'links/dangling'));
  symlinkSync(Buffer.from([0xfd, 0x0a, 0x20]), at(root, 'links/odd'));
  symlinkSync(deep, at(root, 'to the deep'));
  symlinkSync('loop', at(root, 'loop'));
}

function makeModes(root: string): void {
  for (const [name, mode] of [
    ['closed', process.getuid?.() === 0 ? 0o000 : 0o400],
    ['read only', 0o444],
    ['all', 0o777],
  ] as const) {
    writeFileSync(at(root, name), name);
    chmodSync(at(root, name), mode);
  }
  mkdirSync(at(root, 'shared'));
  chmodSync(at(root, 'shared'), 0o3771);
}

/** Of all entries, well inside what `fingerprintOfTree` rounds to. */
function setTimes(root: string): void {
  for (const [index, entry] of entriesOf(Buffer.from(root)).entries()) {
    lutimesSync(entry, 1_400_000_000.25 + index, 1_400_000_000.25 + index);
  }
  utimesSync(at(root, 'size 0'), new Date('1960-02-03T04:05:06.789Z'), new Date('1960-02-03T04:05:06.789Z'));
  utimesSync(at(root, 'size 1'), 1_000_000_000, 1_000_000_000);
  utimesSync(at(root, 'size 512'), 1_234_567_890.654, 1_234_567_890.654);
  lutimesSync(at(root, 'links/dangling'), 1_111_111_111, 1_111_111_111);
  utimesSync(at(root, 'empty folder'), 1_222_222_222, 1_222_222_222);
  utimesSync(root, 1_333_333_333, 1_333_333_333);
}

function entriesOf(folder: Buffer): Buffer[] {
  return readdirSync(folder, { encoding: 'buffer' }).flatMap((name) => {
    const path = Buffer.concat([folder, Buffer.from('/'), name]);
    return [path, ...(lstatSync(path).isDirectory() ? entriesOf(path) : [])];
  });
}

/** 20 MiB of noise in three files. */
export function makeLargeTree(root: string): void {
  mkdirSync(root);
  for (const name of ['a', 'b']) writeFileSync(at(root, name), randomBytes(8 * 1024 * 1024));
  for (let index = 0; index < 64; index += 1) writeFileSync(at(root, `small ${index}`), randomBytes(64 * 1024));
}

/** Everything about a folder, comparable by `toEqual`; `nothing` where there is none. */
export function fingerprintOfTree(root: string): unknown {
  if (lstatSync(root, { throwIfNoEntry: false }) === undefined) return 'nothing';
  const names = new Map<bigint, string>();
  // Rounded to 10 µs: Node gives utimes a double, which is up to 0.2 µs off; so times have to lie off the half.
  const describe = (path: Buffer, name: string): unknown[] => {
    const stat = lstatSync(path, { bigint: true });
    const facts = [name, stat.mode.toString(8), stat.uid, stat.gid, (stat.mtimeNs + 5_000n) / 10_000n].map(String);
    if (stat.isSymbolicLink()) return [[...facts, readlinkSync(path, 'latin1')]];
    if (stat.isFile()) {
      if (!names.has(stat.ino)) names.set(stat.ino, name);
      return [[...facts, names.get(stat.ino), createHash('sha256').update(readFileSync(path)).digest('hex')]];
    }
    if (!stat.isDirectory()) return [[...facts, 'other']];
    const inside = readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare);
    return [
      facts,
      ...inside.flatMap((each) =>
        describe(Buffer.concat([path, Buffer.from('/'), each]), `${name}/${each.toString('latin1')}`),
      ),
    ];
  };
  return describe(Buffer.from(root), '.');
}

export function makeFifo(path: string): void {
  execFileSync('mkfifo', [path]);
}
