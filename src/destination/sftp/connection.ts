/**
 * One SSH connection with the SFTP subsystem on it.
 * Guarantees: nothing but the key exchange is sent to a server whose key is not trusted; every call is answered, at the
 * latest when the connection is lost; a silent server is given up after `idleTimeout`.
 */
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import type { Client, SFTPWrapper } from 'ssh2';
import { authenticationMethods } from './authentication.ts';
import { HostKeyCheck } from './host-key.ts';
import type { SftpOptions } from './options.ts';
import { ConnectionLost, isUnsupported } from './sftp-error.ts';

const defaultIdleTimeoutMs = 60_000;
const keepalives = 3;

/** Fast with Node's OpenSSL first; nothing without integrity. */
const cipher = [
  'aes128-gcm@openssh.com' as const,
  'aes256-gcm@openssh.com' as const,
  'chacha20-poly1305@openssh.com' as const,
  'aes128-ctr' as const,
  'aes256-ctr' as const,
];

type Done<T> = (error: Error | null | undefined, value?: T) => void;

export class Connection {
  readonly #client: Client;
  readonly #sftp: SFTPWrapper;
  readonly #socket: Socket;
  readonly #pending = new Set<(error: Error) => void>();
  #loss: ConnectionLost | undefined;

  private constructor(client: Client, sftp: SFTPWrapper, socket: Socket) {
    this.#client = client;
    this.#sftp = sftp;
    this.#socket = socket;
    let reason: unknown;
    client.on('error', (error) => {
      reason ??= error;
      this.#lose(reason);
    });
    client.on('close', () => this.#lose(reason));
    sftp.on('error', (error: unknown) => {
      reason ??= error;
    });
    sftp.on('close', () => this.#lose(reason));
  }

  /** Throws what node:net, ssh2 and the host key check throw, or the signal's reason. */
  static async open(options: SftpOptions, baseFolder: string, signal?: AbortSignal): Promise<Connection> {
    const { host, port = 22, user = userInfo().username, idleTimeout = defaultIdleTimeoutMs } = options;
    const hostKey = await HostKeyCheck.prepare(options, baseFolder);
    const authHandler = await authenticationMethods(options, user, baseFolder);
    const { default: ssh2 } = await import('ssh2');
    signal?.throwIfAborted();
    const client = new ssh2.Client();
    const sock = connect({ host, port, noDelay: true });
    const abort = () => void sock.destroy();
    signal?.addEventListener('abort', abort, { once: true });
    let refusal: unknown;
    try {
      await new Promise<void>((ready, fail) => {
        client.once('ready', ready).on('error', fail);
        client.once('close', () => fail(new ConnectionLost()));
        const hostVerifier = (key: Buffer) => {
          try {
            hostKey.assertTrusted(key);
            return true;
          } catch (error) {
            refusal = error;
            return false;
          }
        };
        const timing = {
          readyTimeout: idleTimeout,
          keepaliveInterval: Math.ceil(idleTimeout / keepalives),
          keepaliveCountMax: keepalives,
        };
        const serverHostKey = hostKey.algorithms() as never[];
        client.connect({
          sock,
          username: user,
          hostVerifier,
          authHandler,
          algorithms: { serverHostKey, cipher },
          ...timing,
        });
      });
      return new Connection(client, await openSftp(client), sock);
    } catch (error) {
      client.destroy();
      sock.destroy();
      signal?.throwIfAborted();
      throw refusal ?? error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Bytes to be asked for, or sent, in one request. OpenSSH takes up to 256 KiB; of others only 32 KiB can be expected
   * (draft-ietf-secsh-filexfer-02, 3), and cut by ssh2 a larger piece would reach them out of order.
   */
  get pieceBytes(): number {
    return this.#isOpenSsh() ? 128 * 1024 : 31 * 1024;
  }

  get lost(): boolean {
    return this.#loss !== undefined;
  }

  /** Starts a request and waits for its answer. Throws the server's status, or ConnectionLost. */
  call<T = void>(start: (sftp: SFTPWrapper, done: Done<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // ssh2 never answers what is asked after the end.
      if (this.#loss !== undefined) return reject(this.#loss);
      this.#pending.add(reject);
      const done: Done<T> = (error, value) => {
        this.#pending.delete(reject);
        if (!error) resolve(value as T);
        else reject('code' in error ? error : (this.#loss ?? asLoss(error)));
      };
      try {
        start(this.#sftp, done);
      } catch (error) {
        this.#pending.delete(reject);
        reject(error);
      }
    });
  }

  /** Whether the connection keeps the process alive. */
  hold(held: boolean): void {
    if (held) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    this.#client.end();
    this.#lose(undefined);
    // A server that does not hang up in turn must not keep the socket.
    setTimeout(() => this.#socket.destroy(), 1000).unref();
  }

  /** ssh2 tells what a server has announced only by the error it throws, before anything is sent. */
  #isOpenSsh(): boolean {
    try {
      this.#sftp.ext_openssh_fsync(undefined as never, () => undefined);
      return true;
    } catch (error) {
      return !isUnsupported(error);
    }
  }

  #lose(reason: unknown): void {
    this.#loss ??= new ConnectionLost(reason);
    for (const reject of this.#pending) reject(this.#loss);
    this.#pending.clear();
    this.#socket.destroySoon();
  }
}

/** ssh2 answers what was still open at the end with an error without a code. */
function asLoss(error: Error): Error {
  return error.message === 'No response from server' ? new ConnectionLost(error) : error;
}

function openSftp(client: Client): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    client.once('close', () => reject(new ConnectionLost()));
    client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp)));
  });
}
