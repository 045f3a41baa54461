/** What the composition root hands to the commands: the outside world, so that tests can give another one. */
import type { Readable, Writable } from 'node:stream';
import type { EncryptionAdapter } from '../crypto/all.ts';
import type { DestinationType } from '../destination/destination.ts';
import type { NotificationType } from '../notification/notification.ts';
import type { SourceType } from '../source/source.ts';

export type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface AdapterCatalog {
  readonly sources: readonly SourceType[];
  readonly destinations: readonly DestinationType[];
  readonly encryption: readonly EncryptionAdapter[];
  readonly notifications: readonly NotificationType[];
}

export interface App {
  readonly version: string;
  /** Aborted by SIGINT or SIGTERM, with the reason as a DbBackupError. */
  readonly signal: AbortSignal;
  /** Takes SIGHUP for itself; otherwise it ends the program as SIGTERM does. */
  readonly onHangup?: (listener: () => void) => void;
  readonly env: NodeJS.ProcessEnv;
  readonly workingFolder: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  loadCatalog(): Promise<AdapterCatalog>;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
}
