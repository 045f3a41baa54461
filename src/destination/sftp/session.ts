/**
 * The connection that a destination works on: opened when first needed, shared, replaced when lost, closed when idle.
 * It keeps the process alive only while something is asked of it.
 */
import { withBackoff } from '../backoff.ts';
import { Connection } from './connection.ts';
import type { SftpOptions } from './options.ts';
import { isPassing } from './sftp-error.ts';

const defaultRetries = 5;
/** Time after which an unused connection is closed, in ms. */
const idleMs = 15_000;

export interface UseOptions {
  readonly signal?: AbortSignal | undefined;
  /** How often the work may be repeated; without it as configured. */
  readonly retries?: number;
}

export class Session {
  readonly retries: number;
  readonly #options: SftpOptions;
  readonly #baseFolder: string;
  #opening: Promise<Connection> | undefined;
  #current: Connection | undefined;
  #users = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: SftpOptions, baseFolder: string) {
    this.#options = options;
    this.#baseFolder = baseFolder;
    this.retries = options.retries ?? defaultRetries;
  }

  /** Does work that may be repeated from its beginning, on a new connection where the old one was lost. */
  async use<T>(work: (connection: Connection) => Promise<T>, { signal, retries = this.retries }: UseOptions = {}) {
    const release = this.hold();
    try {
      return await withBackoff(async (): Promise<T> => unlessAborted(this.#connection().then(work), signal), {
        retries,
        passing: isPassing,
        ...(signal && { signal }),
      });
    } finally {
      release();
    }
  }

  /** Keeps process and connection alive until the returned function is called. */
  hold(): () => void {
    this.#users++;
    clearTimeout(this.#idleTimer);
    this.#current?.hold(true);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.#users === 0) this.#rest();
    };
  }

  #rest(): void {
    this.#current?.hold(false);
    this.#idleTimer = setTimeout(() => this.#current?.close(), idleMs).unref();
  }

  async #connection(): Promise<Connection> {
    if (this.#current !== undefined && !this.#current.lost) return this.#current;
    this.#opening ??= Connection.open(this.#options, this.#baseFolder).finally(() => {
      this.#opening = undefined;
    });
    this.#current = await this.#opening;
    // Whoever waited may have been aborted meanwhile.
    if (this.#users === 0) this.#rest();
    return this.#current;
  }
}

/** The outcome, or the reason of the abort as soon as it comes; the work goes on unwatched then. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  work.catch(() => undefined);
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
