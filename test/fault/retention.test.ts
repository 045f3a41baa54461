import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Destination, GetOptions, PutOptions, StoredObject } from '../../src/destination/destination.ts';
import { localType } from '../../src/destination/local/local.ts';
import { MemoryDestination } from '../../src/destination/memory/memory-destination.ts';
import { temporaryName } from '../../src/destination/temporary-name.ts';
import { DbBackupError, exitCodes } from '../../src/errors.ts';
import { runJobs } from '../../src/operation/backup/run-jobs.ts';
import type { OperationEvent } from '../../src/operation/event.ts';
import { checkFreshness } from '../../src/operation/freshness.ts';
import { download } from '../../src/operation/restore/download.ts';
import type { DestinationPrune } from '../../src/operation/retention/prune.ts';
import { deleteBackup } from '../../src/operation/storage/delete-backup.ts';
import { resolveBackup } from '../../src/operation/storage/find-backup.ts';
import { markBackup } from '../../src/operation/storage/mark-backup.ts';
import { updateState } from '../../src/operation/storage/update-state.ts';
import { verify } from '../../src/operation/verify.ts';
import type { RetentionRules } from '../../src/retention/retention.ts';
import { sidecarExtension } from '../../src/sidecar/sidecar.ts';
import { stateExtension } from '../../src/sidecar/state.ts';
import { type Faults, FaultyDestination } from '../faulty-destination/faulty-destination.ts';
import { backupsOf, keysOf, openWorld, type Planted, plant, signal, type World } from './retention-world.ts';

const [hourMs, dayMs] = [3_600_000, 86_400_000];
const tonight = new Date('2026-11-20T03:00:00Z');
const worlds: World[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: tonight });
});

afterEach(async () => {
  vi.useRealTimers();
  for (const world of worlds.splice(0)) await world.close();
});

async function world(rules: RetentionRules, destinations: Record<string, Destination>, source?: string) {
  const made = await openWorld({ rules: { timezone: 'UTC', ...rules }, destinations, source });
  worlds.push(made);
  return made;
}

/** One a night, the newest last night. */
async function nights(count: number, of: World, on: Destination): Promise<readonly Planted[]> {
  const planted: Planted[] = [];
  for (let ago = count; ago > 0; ago -= 1) {
    planted.push(await plant(of, on, new Date(tonight.getTime() - ago * dayMs)));
  }
  return planted;
}

async function run(of: World, at: Date) {
  vi.setSystemTime(at);
  return of.run();
}

/** Keys of the data objects of complete backups, oldest first. */
async function complete(on: Destination): Promise<readonly string[]> {
  return (await backupsOf(on)).filter(({ condition }) => condition === 'complete').map(({ key }) => key);
}

function rulesOf(result: DestinationPrune | undefined, key: string): readonly string[] {
  return result?.decisions.find(({ backup }) => backup.key === key)?.reasons.map(({ rule }) => rule) ?? [];
}

describe('F39 clocks and failures', () => {
  test('what was begun in the future is neither fresh nor latest while there is something else', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 2 }, { disk });
    const ahead = await plant(shop, disk, new Date(tonight.getTime() + 300 * dayMs));
    const [none] = await checkFreshness([shop.job], dayMs, shop.runtime);
    expect(none?.problem).toMatch(/^there is no good backup .*1 backup begun in the future/);
    expect((await resolveBackup('shop@latest', shop.runtime)).key).toBe(ahead.key);
    const real = await plant(shop, disk, new Date(tonight.getTime() - hourMs));
    expect((await resolveBackup('shop@latest', shop.runtime)).key).toBe(real.key);
    expect(await checkFreshness([shop.job], dayMs, shop.runtime)).toMatchObject([{ fresh: true, ageMs: hourMs }]);
  });

  test('a backup that could not be compared with earlier ones pushes none out', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    await nights(3, shop, disk);
    vi.spyOn(disk, 'list').mockImplementationOnce(() => {
      throw new Error('the store is tired');
    });
    expect((await shop.run()).exitCode).toBe(exitCodes.WARNING);
    expect(await complete(disk)).toHaveLength(4);
    expect((await run(shop, new Date(tonight.getTime() + hourMs))).exitCode).toBe(0);
    expect(await complete(disk)).toHaveLength(1);
  });

  test('30 failed nights delete nothing, and the first good one does not delete the rest at once', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ withinMs: 7 * dayMs }, { disk });
    const before = (await nights(8, shop, disk)).map(({ key }) => key);
    shop.source.fails = true;
    for (let night = 0; night < 30; night += 1) {
      const outcome = await run(shop, new Date(tonight.getTime() + night * dayMs));
      expect(outcome.exitCode).toBe(exitCodes.SOURCE_FAILED);
    }
    expect(await complete(disk)).toEqual(before);
    shop.source.fails = false;
    const outcome = await run(shop, new Date(tonight.getTime() + 30 * dayMs));
    expect(outcome.exitCode).toBe(0);
    expect(await complete(disk)).toEqual([...before, expect.stringContaining('2026-12-20')]);
    for (let night = 31; night < 39; night += 1) await run(shop, new Date(tonight.getTime() + night * dayMs));
    expect(await complete(disk)).toHaveLength(8);
  });

  test('a clock that is a year ahead for some nights pushes no real backup out', async () => {
    const rules = { last: 3, daily: 5, withinMs: 6 * dayMs };
    const [disk, sane] = [new MemoryDestination(), new MemoryDestination()];
    const jumping = await world(rules, { disk });
    const calm = await world(rules, { disk: sane });
    for (const each of [-3, -2, -1]) {
      await run(jumping, new Date(tonight.getTime() + each * dayMs));
      await run(calm, new Date(tonight.getTime() + each * dayMs));
    }
    const before = await complete(disk);
    for (const night of [0, 1]) await run(jumping, new Date(tonight.getTime() + (365 + night) * dayMs));
    expect(await complete(disk)).toEqual(expect.arrayContaining([...before]));
    for (const night of [2, 3]) {
      await run(jumping, new Date(tonight.getTime() + night * dayMs));
      await run(calm, new Date(tonight.getTime() + night * dayMs));
    }
    const days = (keys: readonly string[]) => keys.map((key) => /\d{4}-\d\d-\d\d/.exec(key)?.[0]);
    const future = (await complete(disk)).filter((key) => key.includes('_2027-'));
    expect(future).toHaveLength(2);
    expect(days(await complete(disk)).filter((day) => !day?.startsWith('2027'))).toEqual(days(await complete(sane)));
  });

  test('a clock that falls back to 1970 deletes nothing that is there', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    const before = (await nights(5, shop, disk)).map(({ key }) => key);
    expect((await run(shop, new Date(1000))).exitCode).toBe(0);
    expect(await complete(disk)).toEqual(expect.arrayContaining(before));
    expect(await complete(disk)).toHaveLength(6);
  });

  test('a backup that comes from the future is kept and counts for nothing', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 2 }, { disk });
    const [, second, third] = await nights(3, shop, disk);
    const future = await plant(shop, disk, new Date(tonight.getTime() + dayMs));
    const { destinations } = await shop.prune();
    expect(await complete(disk)).toEqual([second?.key, third?.key, future.key]);
    expect(rulesOf(destinations[0], future.key)).toEqual(['future']);
  });

  test('at least `minimum` good backups stay', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1, minimum: 4 }, { disk });
    const planted = await nights(9, shop, disk);
    await shop.prune();
    expect(await complete(disk)).toEqual(planted.slice(-4).map(({ key }) => key));
  });
});

describe('F39 what cannot be read', () => {
  test('a destination that cannot be listed is not pruned; the others are; the run itself is good', async () => {
    const [disk, inner] = [new MemoryDestination(), new MemoryDestination()];
    const faults: Faults = {};
    const shop = await world({ last: 2 }, { disk, far: new FaultyDestination(inner, faults) });
    const far = await nights(5, shop, inner);
    await nights(5, shop, disk);
    faults.failing = new Set(['list']);
    const outcome = { told: 0, troubles: [] as readonly string[] };
    const { runJobs } = await import('../../src/operation/backup/run-jobs.ts');
    const options = { wait: false, destinations: [], dryRun: false, retention: true };
    const { exitCode } = await runJobs([shop.job], options, shop.runtime, (each) => {
      outcome.told += 1;
      if (each.status === 'done') outcome.troubles = each.retention.troubles;
    });
    expect({ exitCode, told: outcome.told }).toEqual({ exitCode: 8, told: 1 });
    expect(outcome.troubles).toEqual([expect.stringMatching(/^retention of shop at far failed: planted fault: list/)]);
    expect(await complete(disk)).toHaveLength(2);
    expect(await complete(inner)).toEqual([...far.map(({ key }) => key), expect.stringContaining('2026-11-20')]);
  });

  test('a listing that ends in the middle prunes nothing', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    await nights(6, shop, disk);
    const before = await keysOf(disk);
    const list = disk.list.bind(disk);
    vi.spyOn(disk, 'list').mockImplementation(async function* (prefix: string) {
      let given = 0;
      for await (const object of list(prefix)) {
        if (given++ === 9) throw new DbBackupError('DESTINATION_FAILED', 'the connection was lost');
        yield object;
      }
    });
    await expect(shop.prune()).rejects.toMatchObject({ cause: { message: 'the connection was lost' } });
    vi.restoreAllMocks();
    expect(await keysOf(disk)).toEqual(before);
  });

  test('a listing that leaves out the backup just stored prunes nothing', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    const old = (await nights(4, shop, disk)).map(({ key }) => key);
    const list = disk.list.bind(disk);
    vi.spyOn(disk, 'list').mockImplementation(async function* (prefix: string) {
      for await (const object of list(prefix)) if (!object.key.includes('2026-11-20')) yield object;
    });
    await shop.run();
    vi.restoreAllMocks();
    expect(await complete(disk)).toEqual([...old, expect.stringContaining('2026-11-20')]);
  });

  test('an unreadable sidecar or state protects its backup and pushes no other out', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 2 }, { disk });
    const planted = await nights(6, shop, disk);
    const [oldest, , broken, , , newest] = planted;
    const write = (key: string, text: string) => disk.replace(key, Buffer.from(text), { signal });
    await write(`${oldest?.key}${stateExtension}`, '{ not json');
    await write(`${broken?.key}${sidecarExtension}`, '{"version":"9.0"}');
    await write(`${newest?.key}${sidecarExtension}`, '');
    const { destinations } = await shop.prune();
    const left = new Set((await backupsOf(disk)).map(({ key }) => key));
    expect(planted.map(({ key }) => left.has(key))).toEqual([true, false, true, true, true, true]);
    for (const each of [oldest, broken, newest]) {
      expect(rulesOf(destinations[0], each?.key ?? '')).toEqual(['unreadable']);
    }
  });

  test('a sidecar whose time is not the one of its name decides nothing', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    const forged = await plant(shop, disk, new Date(tonight.getTime() - 9 * dayMs), undefined, (sidecar) => ({
      ...{ ...sidecar, startedAt: tonight.toISOString() },
    }));
    const [, newest] = await nights(2, shop, disk);
    const { destinations } = await shop.prune();
    expect(await complete(disk)).toEqual([forged.key, newest?.key]);
    expect(rulesOf(destinations[0], forged.key)).toEqual(['damaged']);
  });

  test('only exact names of this job are touched', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    const [old, newest] = await nights(2, shop, disk);
    const file = old?.key.split('/')[1] ?? '';
    const foreign = [
      ...['notes.txt', 'shop/notes.txt', `shop/sub/${file}`, `shop2/${file}`, `shop/shop2${file.slice(4)}`],
      ...[`shop/${file}.bak-1`, `shop/copy of ${file}`, 'shop/shop_2020-01-01T00-00-00-000Z_abcdef.sql'],
    ];
    for (const key of foreign) await disk.put(key, Readable.from([Buffer.from('mine')]), { signal });
    await shop.prune();
    expect(await keysOf(disk)).toEqual([...foreign, newest?.key, `${newest?.key}${sidecarExtension}`].sort());
  });

  test('suspect ones push no good one out; an accepted one counts; a locked or failed one is left', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 2 }, { disk });
    const at = (ago: number) => new Date(tonight.getTime() - ago * dayMs);
    const when = at(0).toISOString();
    const verdict = (result: 'passed' | 'failed') => ({ at: when, kind: 'verify' as const, result });
    const verified = await plant(shop, disk, at(9), { verifications: [verdict('failed'), verdict('passed')] });
    const older = await plant(shop, disk, at(8), { verifications: [verdict('passed'), verdict('failed')] });
    const locked = await plant(shop, disk, at(7), { locked: { at: when } });
    const plain = await plant(shop, disk, at(6));
    const good = await plant(shop, disk, at(5));
    const accepted = await plant(shop, disk, at(4), { suspect: { reason: 'small' }, accepted: { at: when } });
    const suspect = [at(3), at(2), at(1)].map((time) => plant(shop, disk, time, { suspect: { reason: 'small' } }));
    const suspects = await Promise.all(suspect);
    await shop.prune();
    const kept = [verified, older, locked, good, accepted, ...suspects].map(({ key }) => key);
    expect(await complete(disk)).toEqual(kept);
    expect(await complete(disk)).not.toContain(plain.key);
  });
});

describe('F31 a backup that is being read', () => {
  /** `get` of a data object waits until it is let go. */
  class SlowDestination extends MemoryDestination {
    readonly reading: Promise<void>;
    readonly release: () => void;
    readonly #begun: () => void;
    readonly #gate: Promise<void>;

    constructor() {
      super();
      const begun = withResolvers();
      const gate = withResolvers();
      [this.reading, this.#begun] = [begun.promise, begun.resolve];
      [this.#gate, this.release] = [gate.promise, gate.resolve];
    }

    override async get(key: string, options?: GetOptions): Promise<Readable> {
      const stream = await super.get(key, options);
      if (!key.endsWith('.sql')) return stream;
      this.#begun();
      const slow = new PassThrough();
      void this.#gate.then(() => stream.pipe(slow));
      return slow;
    }
  }

  function withResolvers() {
    let resolve = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    return { promise, resolve };
  }

  function read(planted: Planted | undefined, by: World) {
    const nowhere = new PassThrough().resume();
    return download(`disk:${planted?.key}`, { decrypt: true, decompress: true }, nowhere, by.runtime);
  }

  test('survives prune and delete, and is deleted the next time', async () => {
    const disk = new SlowDestination();
    const shop = await world({ last: 1 }, { disk });
    const [oldest, middle, newest] = await nights(3, shop, disk);
    const [first] = await backupsOf(disk);
    if (!first) throw new Error('nothing planted');
    const reading = read(oldest, shop);
    await disk.reading;
    const { destinations } = await shop.prune();
    expect(rulesOf(destinations[0], oldest?.key ?? '')).toEqual(['in-use']);
    expect(destinations[0]?.deleted.map(({ key }) => key)).toEqual([middle?.key]);
    await expect(deleteBackup(first, shop.runtime)).rejects.toMatchObject({ code: 'BUSY' });
    expect(await complete(disk)).toEqual([oldest?.key, newest?.key]);
    disk.release();
    expect((await reading).bytes).toBe(4);
    await shop.prune();
    expect(await complete(disk)).toEqual([newest?.key]);
  });

  test('a reader that comes after the mark is refused, whatever it knew before', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    await nights(2, shop, disk);
    const [old] = await backupsOf(disk);
    if (!old) throw new Error('nothing planted');
    let refused: unknown;
    const remove = disk.delete.bind(disk);
    vi.spyOn(disk, 'delete').mockImplementation(async (key) => {
      refused ??= await verify(old, shop.runtime).catch((error) => error);
      await remove(key);
    });
    await shop.prune();
    vi.restoreAllMocks();
    expect(refused).toMatchObject({ code: 'OBJECT_MISSING', message: expect.stringMatching(/did not pass/) });
    expect(await complete(disk)).toHaveLength(1);
  });

  test('of a reader and a deletion that meet, at most one goes on', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    const newest = await plant(shop, disk, new Date(tonight.getTime() - hourMs));
    const outcomes = { read: 0, deleted: 0 };
    for (let round = 0; round < 30; round += 1) {
      const old = await plant(shop, disk, new Date(tonight.getTime() - (round + 2) * dayMs));
      const pruning = async () => {
        for (let turn = 0; turn < round; turn += 1) await Promise.resolve();
        return shop.prune();
      };
      const [reading, pruned] = await Promise.allSettled([read(old, shop), pruning()]);
      const wasRead = reading.status === 'fulfilled';
      const wasDeleted = pruned.status === 'fulfilled' && (pruned.value.destinations[0]?.deleted.length ?? 0) > 0;
      if (!wasRead)
        expect(reading).toMatchObject({ reason: { code: expect.stringMatching(/MISSING|NOT_FOUND|INTEGRITY/) } });
      outcomes.read += Number(wasRead);
      outcomes.deleted += Number(wasDeleted);
      await shop.prune();
    }
    expect(outcomes.read + outcomes.deleted).toBeGreaterThanOrEqual(30);
    expect(await complete(disk)).toEqual([newest.key]);
  });
});

describe('a prune that is cut', () => {
  /** From the nth change on, nothing works any more: as after a kill. */
  class DyingDestination extends FaultyDestination {
    left: number;

    constructor(inner: Destination, changes: number) {
      super(inner, {});
      this.left = changes;
    }

    override async replace(key: string, content: Uint8Array, options: PutOptions): Promise<StoredObject> {
      this.#spend();
      return super.replace(key, content, options);
    }

    override async delete(key: string): Promise<void> {
      this.#spend();
      await super.delete(key);
    }

    #spend(): void {
      if (this.left-- <= 0) throw new DbBackupError('DESTINATION_FAILED', 'planted death');
    }
  }

  async function cutAfter(changes: number, inner: Destination): Promise<boolean> {
    const shop = await world({ last: 2 }, { disk: new DyingDestination(inner, changes) });
    const planted = await nights(4, shop, inner);
    const cut = await shop.prune().then(
      () => false,
      () => true,
    );
    for (const { condition, sidecar, object } of await backupsOf(inner)) {
      if (condition === 'complete') expect([sidecar !== undefined, object?.size]).toEqual([true, 4]);
      else expect(condition).toBe('deleting');
    }
    const next = await openWorld({ rules: { last: 2 }, destinations: { disk: inner } });
    worlds.push(next);
    await next.prune();
    const left = planted.slice(-2).flatMap(({ key }) => [key, key + sidecarExtension]);
    expect(await keysOf(inner)).toEqual(left);
    return cut;
  }

  test.each(['memory', 'local'])('is finished by the next, wherever it was cut (%s)', async (kind) => {
    let changes = 0;
    for (let cut = true; cut; changes += 1) {
      const folder = await mkdtemp(join(tmpdir(), 'dbbackup-retention-'));
      const inner = kind === 'memory' ? new MemoryDestination() : localType.open({ path: folder }, '/');
      cut = await cutAfter(changes, inner);
      await rm(folder, { recursive: true });
    }
    // Two backups: a mark and three deletions each.
    expect(changes - 1).toBe(8);
  });

  test('F24 drafts of marks that a killed one left go with their backups, those of others stay', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dbbackup-retention-'));
    const disk = localType.open({ path: folder }, '/');
    const shop = await world({ last: 1 }, { disk });
    const [old, newest] = await nights(2, shop, disk);
    const drafts = [old, newest].map((backup) => temporaryName(`${basename(backup?.key ?? '')}${stateExtension}`));
    for (const draft of drafts) await writeFile(join(folder, 'shop', draft), '{"version":');
    await shop.prune();
    expect(await complete(disk)).toEqual([newest?.key]);
    expect((await readdir(join(folder, 'shop'))).filter((name) => name.endsWith('.part'))).toEqual([drafts[1]]);
    await rm(folder, { recursive: true });
  });
});

describe('two machines, one destination, one job name', () => {
  test('neither prunes the other, until one adopts', async () => {
    const shared = new MemoryDestination();
    const [one, two] = [await world({ last: 2 }, { shared }, 'db-1'), await world({ last: 2 }, { shared }, 'db-2')];
    for (let night = 0; night < 5; night += 1) {
      await run(one, new Date(tonight.getTime() + night * dayMs));
      await run(two, new Date(tonight.getTime() + night * dayMs + hourMs));
    }
    const of = async (machine: World) => {
      const backups = await backupsOf(shared);
      return backups.filter(({ sidecar }) => sidecar?.source.fingerprint === machine.fingerprint).length;
    };
    expect([await of(one), await of(two)]).toEqual([2, 2]);

    const questions: string[] = [];
    one.consent.ask = async (question) => {
      questions.push(question);
      throw new DbBackupError('CONSENT_REQUIRED', question);
    };
    await expect(one.prune({ adopt: true })).rejects.toMatchObject({ code: 'CONSENT_REQUIRED' });
    expect(questions).toEqual(['Adopt 2 backups of db-2 on host of db-2?']);
    expect([await of(one), await of(two)]).toEqual([2, 2]);

    one.consent.ask = async () => {};
    const { destinations } = await one.prune({ adopt: true });
    expect(destinations[0]).toMatchObject({ adopted: { length: 2 }, deleted: { length: 2 } });
    expect(await complete(shared)).toHaveLength(2);
    const seenByTwo = await two.prune({ dryRun: true });
    expect(seenByTwo.destinations[0]?.decisions.flatMap(({ reasons }) => reasons.map(({ rule }) => rule))).toEqual([
      'foreign',
      'foreign',
    ]);
  });

  test('the newest of each is its own, whichever is younger', async () => {
    const shared = new MemoryDestination();
    const [one, two] = [await world({ last: 2 }, { shared }, 'db-1'), await world({ last: 2 }, { shared }, 'db-2')];
    const mine = await plant(one, shared, new Date(tonight.getTime() - 2 * dayMs));
    const theirs = await plant(two, shared, new Date(tonight.getTime() - hourMs));
    const said: string[] = [];
    const listening = { ...one.runtime, emit: (event: OperationEvent) => said.push(JSON.stringify(event)) };
    expect((await resolveBackup('shop@latest', listening)).key).toBe(mine.key);
    expect(said.join()).toContain('is of another source (db on host of db-2)');
    expect((await resolveBackup('shop@latest', two.runtime)).key).toBe(theirs.key);
    const [stale] = await checkFreshness([one.job], dayMs, one.runtime);
    expect(stale?.problem).toBe('the newest good backup is too old (newer, not counted: 1 backup of another source)');
    expect(await checkFreshness([two.job], dayMs, two.runtime)).toMatchObject([{ fresh: true }]);
    // A machine that never stored anything here: after a loss, what there is counts.
    const three = await world({ last: 2 }, { shared }, 'db-3');
    expect((await resolveBackup('shop@latest', three.runtime)).key).toBe(theirs.key);
    expect(await checkFreshness([three.job], dayMs, three.runtime)).toMatchObject([{ fresh: false }]);
  });

  test("its own at a later destination goes before the other machine's at the first, and nothing is taken for its own", async () => {
    const [shared, mine] = [new MemoryDestination(), new MemoryDestination()];
    const one = await world({ last: 2 }, { shared, mine }, 'db-1');
    const two = await world({ last: 2 }, { shared }, 'db-2');
    const theirs = await plant(two, shared, new Date(tonight.getTime() - hourMs));
    const said: string[] = [];
    const listening = { ...one.runtime, emit: (event: OperationEvent) => said.push(JSON.stringify(event)) };
    expect((await resolveBackup('shop@latest', listening)).key).toBe(theirs.key);
    expect(said.join()).toContain("is of another source (db on host of db-2): there is none of this job's own source");
    vi.spyOn(mine, 'list').mockImplementation(() => {
      throw new DbBackupError('DESTINATION_FAILED', 'gone');
    });
    expect((await resolveBackup('shop@latest', one.runtime)).key).toBe(theirs.key);
    vi.restoreAllMocks();
    const own = await plant(one, mine, new Date(tonight.getTime() - 2 * dayMs));
    said.length = 0;
    expect((await resolveBackup('shop@latest', listening)).key).toBe(own.key);
    expect(said.join()).toContain('is of another source (db on host of db-2); shop@latest is mine:');
  });

  test('a deletion that the other has begun is not finished here', async () => {
    const shared = new MemoryDestination();
    const [one, two] = [await world({ last: 1 }, { shared }, 'db-1'), await world({ last: 1 }, { shared }, 'db-2')];
    const begun = await plant(two, shared, tonight, { deleting: { at: tonight.toISOString() } });
    await one.prune();
    expect(await keysOf(shared)).toContain(begun.key);
    await two.prune();
    expect(await keysOf(shared)).toEqual([]);
  });
});

describe('lock and accept', () => {
  test('a lock set while prune asks is respected', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    const [old, , newest] = await nights(3, shop, disk);
    shop.consent.ask = async () => void (await markBackup(old?.id ?? '', 'lock', 'year end', shop.runtime));
    const { destinations } = await shop.prune();
    expect(rulesOf(destinations[0], old?.key ?? '')).toEqual(['locked']);
    expect(await complete(disk)).toEqual([old?.key, newest?.key]);
    shop.consent.ask = async () => {};
    await markBackup(old?.id ?? '', 'unlock', undefined, shop.runtime);
    await shop.prune();
    expect(await complete(disk)).toEqual([newest?.key]);
  });

  test('a lock that comes too late says so', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    const [old] = await nights(2, shop, disk);
    const replace = disk.replace.bind(disk);
    vi.spyOn(disk, 'replace').mockImplementationOnce(async (key, content, options) => {
      const done = await replace(key, content, options);
      const deleting = { version: '1.0', verifications: [], deleting: { at: tonight.toISOString() } };
      await replace(key, Buffer.from(JSON.stringify(deleting)), options);
      return done;
    });
    await expect(markBackup(old?.id ?? '', 'lock', undefined, shop.runtime)).rejects.toThrow(/came too late/);
    vi.restoreAllMocks();
  });

  test('a lock of what is gone meanwhile says so, and leaves nothing behind', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    const [old] = await nights(1, shop, disk);
    const replace = disk.replace.bind(disk);
    vi.spyOn(disk, 'replace').mockImplementationOnce(async (key, content, options) => {
      for (const gone of [old?.key ?? '', `${old?.key}${sidecarExtension}`]) await disk.delete(gone);
      return replace(key, content, options);
    });
    await expect(markBackup(old?.id ?? '', 'lock', undefined, shop.runtime)).rejects.toThrow(/came too late/);
    expect(await keysOf(disk)).toEqual([]);
  });

  test('a lock and the result of a verify that are written at once are both kept', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    const [planted] = await nights(1, shop, disk);
    const [stored] = await backupsOf(disk);
    const verification = { at: tonight.toISOString(), kind: 'verify' as const, result: 'passed' as const };
    const writer = { stateFolder: shop.runtime.stateFolder, signal };
    await Promise.all([
      stored && updateState(stored, () => ({ verifications: [verification] }), writer),
      markBackup(planted?.id ?? '', 'lock', 'year end', shop.runtime),
      stored && updateState(stored, () => ({ suspect: { reason: 'half the size' } }), writer),
    ]);
    const state = (await backupsOf(disk))[0]?.state;
    expect(state).toMatchObject({ verifications: [verification], locked: { reason: 'year end' }, suspect: {} });
  });

  test('marks every copy, or the one that is named', async () => {
    const [disk, far] = [new MemoryDestination(), new MemoryDestination()];
    const shop = await world({ last: 1 }, { disk, far });
    await shop.run();
    const [stored] = await backupsOf(disk);
    const suspect = { version: '1.0', verifications: [], suspect: { reason: 'half the size' } };
    for (const on of [disk, far]) {
      await on.replace(`${stored?.key}${stateExtension}`, Buffer.from(JSON.stringify(suspect)), { signal });
    }
    const stateOf = async (on: Destination) => (await backupsOf(on))[0]?.state;
    await markBackup(stored?.sidecar?.id ?? '', 'accept', 'meant', shop.runtime);
    expect((await stateOf(disk))?.accepted?.reason).toBe('meant');
    expect((await stateOf(far))?.accepted?.reason).toBe('meant');
    await markBackup(`far:${stored?.key}`, 'lock', undefined, shop.runtime);
    expect([(await stateOf(disk))?.locked, (await stateOf(far))?.locked]).toEqual([
      undefined,
      { at: tonight.toISOString() },
    ]);
  });

  test('what is not suspect cannot be accepted', async () => {
    const disk = new MemoryDestination();
    const shop = await world({ last: 1 }, { disk });
    const [planted] = await nights(1, shop, disk);
    await expect(markBackup(planted?.id ?? '', 'accept', undefined, shop.runtime)).rejects.toMatchObject({
      code: 'USAGE',
    });
  });
});

test('F23 a run that is stopped before it has begun anything is no success', async () => {
  const disk = new MemoryDestination();
  const shop = await world({ last: 2 }, { disk });
  const stopped = { ...shop.runtime, signal: AbortSignal.abort(new DbBackupError('TERMINATED', 'terminated')) };
  const options = { wait: false, destinations: [], dryRun: false, retention: true };
  const outcome = await runJobs([shop.job], options, stopped, () => {});
  expect(outcome.exitCode).toBe(exitCodes.TERMINATED);
  expect(outcome.error).toMatchObject({ message: 'terminated: 0 of 1 jobs done, not begun: shop' });
  expect(await keysOf(disk)).toEqual([]);
});

test('--dry-run changes nothing and tells the future', async () => {
  const disk = new MemoryDestination();
  const shop = await world({ last: 2 }, { disk });
  const planted = await nights(4, shop, disk);
  const before = await keysOf(disk);
  shop.consent.ask = () => Promise.reject(new Error('a dry run asks nothing'));
  const { destinations } = await shop.prune({ dryRun: true, forecastDays: 3 });
  expect(await keysOf(disk)).toEqual(before);
  const [at] = destinations;
  expect(at?.decisions.map(({ action }) => action)).toEqual(['keep', 'keep', 'delete', 'delete']);
  const told = at?.future.map((each) => [each.at.toISOString().slice(0, 10), each.backup.key]);
  expect(told).toEqual([
    ['2026-11-20', planted[0]?.key],
    ['2026-11-20', planted[1]?.key],
    ['2026-11-21', planted[2]?.key],
    ['2026-11-22', planted[3]?.key],
  ]);
});
