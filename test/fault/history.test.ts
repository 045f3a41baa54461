import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type History, openHistory } from '../../src/history/history.ts';
import { type TolerantHistory, tolerantHistory } from '../../src/history/tolerant.ts';
import { historyFile } from '../../src/state-folder.ts';

/** Every connection that is opened, so that a test can bound its pages: SQLite itself then says "full". */
const opened = vi.hoisted(() => ({ connections: [] as Database.Database[], full: false }));
vi.mock('../../src/sqlite-library.ts', async (importOriginal) => {
  const { Database: Original } = await importOriginal<{ Database: typeof Database }>();
  return {
    Database: class extends Original {
      constructor(...args: ConstructorParameters<typeof Database>) {
        super(...args);
        opened.connections.push(this as unknown as Database.Database);
        if (opened.full) (this as unknown as Database.Database).pragma('max_page_count = 1');
      }
    },
  };
});

const id = '4f9c01ab-0000-4000-8000-000000000001';
const backup = { id, kind: 'backup', job: 'shop', trigger: 'manual', host: 'db1', pid: 7 } as const;
const disk = { name: 'disk', type: 'local', status: 'completed', key: 'shop/a', size: 9 } as const;

let state: string;
let trouble: Error[];
let recorder: TolerantHistory;

beforeEach(async () => {
  state = await mkdtemp(path.join(tmpdir(), 'dbbackup-history-'));
  trouble = [];
  recorder = tolerantHistory(
    () => openHistory(state),
    (error) => trouble.push(error),
  );
});
afterEach(async () => {
  opened.full = false;
  opened.connections.length = 0;
  recorder.close();
  await rm(state, { recursive: true, force: true });
});

/** What an operation does, with the fault in the middle. */
async function run(fault: () => unknown): Promise<void> {
  await recorder.begin(backup);
  await fault();
  recorder.progress(id, { rawBytes: 5 });
  recorder.log(id, 'info', 'x'.repeat(8000));
  recorder.destinationResult(id, disk);
  await recorder.finish(id, { status: 'completed', rawBytes: 10, backupId: 'b-1' });
}

async function read<T>(question: (history: History) => T): Promise<T> {
  const history = await openHistory(state);
  try {
    return question(history);
  } finally {
    history.close();
  }
}

const recorded = () => read((history) => history.get(id));

describe('F27 trouble with the history', () => {
  it('records without trouble when there is none', async () => {
    await run(() => undefined);
    expect(trouble).toEqual([]);
    expect(await recorded()).toMatchObject({ status: 'completed', rawBytes: 10, destinations: [disk] });
  });

  it('a garbage file is moved aside with its content, and a new one is started', async () => {
    await writeFile(historyFile(state), 'garbage '.repeat(1000));
    await run(() => undefined);
    expect(trouble.map((error) => [(error as { code?: string }).code, error.message])).toEqual([
      ['HISTORY_FAILED', expect.stringMatching(/damaged.*moved to .*history\.sqlite\.corrupt-/)],
    ]);
    expect(await recorded()).toMatchObject({ status: 'completed' });
    const aside = (await readdir(state)).find((file) => /corrupt-[^.]*Z$/.test(file));
    expect(await readFile(path.join(state, String(aside)), 'utf8')).toMatch(/^garbage/);
  });

  it('damage met in the middle of a run costs the old file, not the record', async () => {
    await run(async () => {
      const connection = opened.connections.at(-1);
      // Every page but the first becomes garbage, in the file itself, behind the back of the open connection.
      connection?.pragma('wal_checkpoint(TRUNCATE)');
      const content = await readFile(historyFile(state));
      const { open } = await import('node:fs/promises');
      const file = await open(historyFile(state), 'r+');
      await file.write(Buffer.alloc(content.length - 4096, 0x5a), 0, content.length - 4096, 4096);
      await file.close();
      connection?.pragma('shrink_memory');
    });
    expect(trouble[0]?.message).toMatch(/malformed.*moved to .*corrupt-/);
    expect(await recorded()).toMatchObject({ status: 'completed', destinations: [disk] });
  });

  it('a file deleted in the middle of a run is noticed, and the run recorded in a new one', async () => {
    await run(async () => {
      for (const file of await readdir(state)) await rm(path.join(state, file));
    });
    expect(trouble[0]?.message).toContain('was deleted or replaced');
    expect(await recorded()).toMatchObject({ status: 'completed', rawBytes: 10, destinations: [disk] });
  });

  it('a stale -wal beside a deleted file does not bring its rows back', async () => {
    await recorder.begin(backup);
    await rm(historyFile(state));
    expect(await recorded()).toBeUndefined();
  });

  it('a full disk is reported; the run goes on, and is recorded once there is room', async () => {
    await run(() => opened.connections.at(-1)?.pragma('max_page_count = 1'));
    expect(trouble.length).toBe(1);
    expect(trouble[0]?.message).toContain('database or disk is full');
    expect(await recorded()).toMatchObject({ status: 'completed', destinations: [disk] });
  });

  it('a disk that stays full loses the record, never the run', async () => {
    opened.full = true;
    await run(() => undefined);
    expect(trouble.length).toBeGreaterThan(0);
    for (const error of trouble) expect(error).toMatchObject({ code: 'HISTORY_FAILED' });
  });

  it('a state folder that is gone loses the record, never the run', async () => {
    await rm(state, { recursive: true });
    await run(() => undefined);
    expect(trouble[0]).toMatchObject({ code: 'HISTORY_FAILED', message: expect.stringContaining('cannot be opened') });
  });

  it('a file locked by another process holds a run up once, not at every line', async () => {
    await recorder.begin(backup);
    const locker = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { Database } from '${path.resolve('dist/sqlite-library.js')}';
         const database = new Database(process.argv[1]);
         database.exec('BEGIN IMMEDIATE');
         process.stdout.write('locked');
         // Named here, or the garbage collector may close it.
         process.stdin.resume().on('end', () => database.close());`,
        historyFile(state),
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    await once(locker.stdout, 'data');
    for (let line = 0; line < 1000; line++) recorder.log(id, 'info', `line ${line}`);
    expect(trouble.map((error) => error.message)).toEqual([expect.stringContaining('database is locked')]);
    locker.stdin.end();
    await once(locker, 'exit');
    await recorder.finish(id, { status: 'completed' });
    expect(await recorded()).toMatchObject({ status: 'completed' });
  });

  it('many processes that open, migrate and write it at once all succeed', async () => {
    const program = `
      import { openHistory } from '${path.resolve('dist/history/history.js')}';
      const history = await openHistory(process.argv[1]);
      const execution = { kind: 'backup', job: 'shop', trigger: 'manual', host: 'db1', pid: process.pid };
      for (let i = 0; i < 20; i++) history.finish(history.begin(execution), { status: 'completed' });
      history.close();`;
    const start = () => promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program, state]);
    await Promise.all(Array.from({ length: 5 }, start));
    expect(await read((history) => history.list().total)).toBe(100);
  });
});
