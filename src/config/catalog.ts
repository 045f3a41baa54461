/** What the configuration may name: the adapters that `main` lists. Passed in, so that config knows no adapter. */
import type { ZodType } from 'zod';
import type { DestinationType } from '../destination/destination.ts';
import type { NotificationType } from '../notification/notification.ts';
import type { SourceType } from '../source/source.ts';

export interface EncryptionProfileType {
  readonly type: string;
  /** Strict zod object of the options in the config, without `type`. */
  readonly options: ZodType;
  /** The same, stricter about what stands in the file itself and so can be judged when it is read. */
  readonly written?: ZodType;
}

export interface Catalog {
  readonly sources: readonly SourceType[];
  readonly destinations: readonly DestinationType[];
  readonly encryption: readonly EncryptionProfileType[];
  readonly notifications: readonly NotificationType[];
}
