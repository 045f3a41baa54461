/**
 * The bytes of a file on the server, from some byte on.
 * Guarantees: reads ahead within a bounded memory; a lost connection is replaced by a new one that goes on where it
 * broke; a file whose size or time is another one then is an error and never a mixture (F42); the stream ends only after
 * as many bytes as the file had when it was opened.
 */
import { Readable } from 'node:stream';
import type { Stats } from 'ssh2';
import { DbBackupError } from '../../errors.ts';
import { pause } from '../backoff.ts';
import type { Connection } from './connection.ts';
import type { Session } from './session.ts';
import { isMissing, isPassing, sftpError } from './sftp-error.ts';

/** Bytes asked for ahead of the reader. */
const aheadBytes = 4 * 1024 * 1024;

export interface OpenFile {
  readonly connection: Connection;
  readonly handle: Buffer;
  readonly size: number;
  readonly mtime: number;
}

export class Download extends Readable {
  readonly #session: Session;
  readonly #path: string;
  readonly #action: string;
  readonly #release: () => void;
  readonly #closed = new AbortController();
  readonly #pieces: Promise<Buffer>[] = [];
  #file: OpenFile;
  #asked: number;
  #position: number;
  #failures = 0;

  constructor(session: Session, path: string, file: OpenFile, start: number, action: string) {
    super({ highWaterMark: 256 * 1024 });
    this.#session = session;
    this.#path = path;
    this.#file = file;
    this.#position = start;
    this.#asked = start;
    this.#action = action;
    this.#release = session.hold();
  }

  override _read(): void {
    this.#next().then(
      (piece) => this.push(piece),
      (error) => this.destroy(sftpError(error, this.#action)),
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#closed.abort(error ?? undefined);
    void closeFile(this.#file).finally(this.#release);
    done(error);
  }

  async #next(): Promise<Buffer | null> {
    while (this.#position < this.#file.size) {
      const piece = await this.#tryPiece();
      if (piece === undefined) continue;
      this.#failures = 0;
      this.#position += piece.length;
      return piece;
    }
    return null;
  }

  /** Undefined after a failure that may pass. */
  async #tryPiece(): Promise<Buffer | undefined> {
    try {
      if (this.#file.connection.lost) await this.#reopen();
      this.#ask();
      return await this.#pieces.shift();
    } catch (error) {
      this.#closed.signal.throwIfAborted();
      if (!isPassing(error) || this.#failures >= this.#session.retries) throw error;
      await pause(this.#failures++, this.#closed.signal);
      return undefined;
    }
  }

  #ask(): void {
    const { pieceBytes } = this.#file.connection;
    while (this.#asked < Math.min(this.#file.size, this.#position + aheadBytes)) {
      const length = Math.min(pieceBytes, this.#file.size - this.#asked);
      const piece = readPiece(this.#file, this.#asked, length);
      // Reported when its turn comes; until then nobody listens.
      piece.catch(() => undefined);
      this.#pieces.push(piece);
      this.#asked += length;
    }
  }

  async #reopen(): Promise<void> {
    const { size, mtime } = this.#file;
    this.#pieces.length = 0;
    this.#asked = this.#position;
    try {
      const signal = this.#closed.signal;
      const file = await this.#session.use((connection) => openFile(connection, this.#path), { signal, retries: 0 });
      if (file.size !== size || file.mtime !== mtime) throw exchanged();
      this.#file = file;
    } catch (error) {
      throw isMissing(error) ? exchanged() : error;
    }
  }
}

export async function openFile(connection: Connection, path: string): Promise<OpenFile> {
  const handle = await connection.call<Buffer>((sftp, done) => sftp.open(path, 'r', done));
  const { size, mtime } = await connection.call<Stats>((sftp, done) => sftp.fstat(handle, done));
  return { connection, handle, size, mtime };
}

export async function closeFile({ connection, handle }: OpenFile): Promise<void> {
  await connection.call((sftp, done) => sftp.close(handle, done)).catch(() => undefined);
}

/** A server may give less than was asked for. */
async function readPiece({ connection, handle }: OpenFile, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const read = await connection.call<number>((sftp, done) =>
      sftp.read(handle, buffer, filled, length - filled, start + filled, done),
    );
    if (read === 0) throw exchanged();
    filled += read;
  }
  return buffer;
}

function exchanged(): DbBackupError {
  return new DbBackupError('INTEGRITY', 'the file was exchanged, shortened or removed while it was being read', {
    hint: 'Nothing of the mixture is used. Verify the backup, then read it again.',
  });
}
