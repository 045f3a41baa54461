import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandType } from '../../src/source/command/command.ts';
import { describeSource } from './describe-source.ts';

const secret = 'Canary-77aa';
const [head, tail] = [Buffer.from('DUMP\0\n'), Buffer.from('\n-- whole\n')];

/** The database is a file, its tools are those of the shell. */
describeSource('command', {
  type: commandType,
  secret,
  unknownTarget: true,
  unknownEnd: true,
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'dbbackup-command-'));
    let made = 0;
    return {
      async makeDatabase() {
        made += 1;
        const path = join(folder, `--file ${made}`);
        const fill = (bytes: number) => writeFile(path, Buffer.concat([head, randomBytes(bytes), tail]));
        return {
          options: {
            dump: ['sh', '-c', 'test -n "$SECRET" && exec cat -- "$1"', 'sh', path],
            restore: ['sh', '-c', 'cat > "$1.new" && mv -- "$1.new" "$1"', 'sh', path],
            version: ['cat', '--version'],
            env: { SECRET: secret },
            startsWith: 'hex:44554d50000a',
            endsWith: '\n-- whole\n',
          },
          baseFolder: folder,
          async fill() {
            await fill(100_000);
            return {};
          },
          fillLarge: () => fill(20_000_000),
          fingerprint: () => readFile(path, 'base64').catch(() => 'nothing'),
        };
      },
      close: () => rm(folder, { recursive: true, force: true }),
    };
  },
});
