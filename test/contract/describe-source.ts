/**
 * The contract of `src/source/source.ts` as a test suite. An engine's own file makes databases (`SourceBench`) and calls
 * `describeSource`; everything else is the same for all engines. It uses the real tools and reads the table of
 * processes, so a tool that survives its dump is found.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SourceType } from '../../src/source/source.ts';
import { openSource } from './source/dump-and-restore.ts';
import { testInterruptions } from './source/interruptions.ts';
import { testTargets } from './source/targets.ts';
import { withContext } from './source/test-context.ts';
import { testWholeDumps } from './source/whole-dumps.ts';

/** One database of the engine under test: a source to dump and a target to restore into. */
export interface TestDatabase {
  /** For `type.open(options, baseFolder)`. */
  readonly options: unknown;
  readonly baseFolder: string;
  /** Puts the engine's nastiest data in; returns what `contents()` must say: tables → row counts. */
  fill(): Promise<Readonly<Record<string, number | null>>>;
  /** Puts at least 16 MiB of incompressible data in, more than all pipes and buffers between tool and test hold. */
  fillLarge(): Promise<void>;
  /** Everything that is in it (schema and rows, bytes as hex), comparable by `toEqual`. Works on an empty one, too. */
  fingerprint(): Promise<unknown>;
}

/** Servers and folders of one suite. */
export interface SourceBench {
  /** A new empty database, or for engines that are files: a name where none exists yet. */
  makeDatabase(): Promise<TestDatabase>;
  /** Removes everything that was made. */
  close(): Promise<void>;
}

export interface SourceSuite {
  readonly type: SourceType;
  /** Called once, before all tests. */
  open(): Promise<SourceBench>;
  /** Formats whose tool works inside `dump()`, before the stream exists (the stream is then a file). */
  readonly preparedFormats?: readonly string[];
  /** Dumps without a tool: there is no process that could be killed. */
  readonly inProcess?: boolean;
  /** Nobody can tell what the target holds: restores always say `clean`. */
  readonly unknownTarget?: boolean;
  /** What a whole dump ends with is told by the options, which `endOfDumpCheck` of the type does not know. */
  readonly unknownEnd?: boolean;
  /** Must not appear in the identity, the inspection or the contents. */
  readonly secret?: string;
}

/** Gives the tests the bench, which exists only once they run. */
export type Bench = () => SourceBench;

export function describeSource(name: string, suite: SourceSuite): void {
  describe(`source ${name}`, () => {
    let current: SourceBench | undefined;
    const bench: Bench = () => {
      if (current === undefined) throw new Error(`the bench of ${name} did not open`);
      return current;
    };
    beforeAll(async () => {
      current = await suite.open();
    });
    afterAll(async () => current?.close());

    testIdentity(suite, bench);
    for (const format of suite.type.capabilities().formats) {
      describe(`format ${format.name}`, () => {
        testWholeDumps(suite, format, bench);
        testInterruptions(suite, format, bench);
        testTargets(suite, format, bench);
      });
    }
  });
}

function testIdentity({ type, secret }: SourceSuite, bench: Bench): void {
  it('names what it dumps, its tool and its databases, and no secret', async () => {
    await withContext(async (context) => {
      const database = await bench().makeDatabase();
      await database.fill();
      const source = openSource(type, database);
      const inspection = await source.inspect(context);
      expect(inspection.tool).toContain(inspection.toolVersion);
      expect(inspection.toolVersion).toMatch(/^\d+\.\d+/);
      expect(inspection.databases.length).toBeGreaterThan(0);
      expect(inspection.estimatedBytes ?? 1).toBeGreaterThan(0);
      expect(source.identity.fingerprintParts[0]).toBe(type.type);
      expect(source.identity.label).not.toBe('');
      if (secret !== undefined) expect(JSON.stringify([source.identity, inspection])).not.toContain(secret);
    });
  });

  it('tells two databases apart', async () => {
    const parts = [await bench().makeDatabase(), await bench().makeDatabase()].map(
      (database) => openSource(type, database).identity.fingerprintParts,
    );
    expect(parts[0]).not.toEqual(parts[1]);
  });

  it('has a recovery recipe for each format, with the file in it', () => {
    for (const format of type.capabilities().formats) {
      expect(type.recovery(format, ['shop']).command("'the file'")).toContain("'the file'");
    }
  });
}
