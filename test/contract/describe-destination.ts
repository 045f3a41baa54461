/**
 * The contract suite of destinations: what every adapter must do against its real store, or it is not one.
 * An adapter plugs in with `describeDestination('s3', { create: … })`; the suite needs an empty store of its own.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import type { Destination } from '../../src/destination/destination.ts';
import { testListing } from './destination/listing.ts';
import { testNaming } from './destination/naming.ts';
import { testPublishing } from './destination/publishing.ts';
import { testRoundTrip } from './destination/round-trip.ts';

export interface DestinationUnderTest {
  readonly destination: Destination;
  cleanup(): Promise<void>;
}

export interface DestinationSuite {
  /** Called once, before all tests; contact the store here. */
  create(): Promise<DestinationUnderTest>;
  /** Bytes, besides the usual sizes: part size ± 1 and so on. */
  readonly sizes?: readonly number[];
  /** How many objects the long listing has; 1,000 unless told, which is more than a page of every store. */
  readonly manyObjects?: number;
  /** Every request takes long: fewer odd names and rounds. */
  readonly slow?: boolean;
  /** Bytes a `put` may read ahead of a stalled store; asked only with `stall`. 32 MiB unless told. */
  readonly readAhead?: number;
  /** Leaves one unfinished upload in the store, as a killed process would. Left out where a store cannot have one. */
  abandonUpload?(): Promise<void>;
  /** Makes the store take no more bytes until the returned function is called. Left out where that cannot be done. */
  stall?(): Promise<() => Promise<void>>;
}

/** Gives the tests the store, which exists only once they run. */
export type Subject = () => DestinationUnderTest;

export function describeDestination(name: string, suite: DestinationSuite): void {
  describe(`destination ${name}`, () => {
    let current: DestinationUnderTest | undefined;
    const subject: Subject = () => {
      if (current === undefined) throw new Error(`the store of ${name} did not start`);
      return current;
    };
    beforeAll(async () => {
      current = await suite.create();
    });
    afterAll(async () => current?.cleanup());

    testRoundTrip(subject, suite);
    testPublishing(subject, suite);
    testNaming(subject, suite);
    testListing(subject, suite);
  });
}
