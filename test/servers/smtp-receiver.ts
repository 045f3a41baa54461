/**
 * A small real SMTP server (RFC 5321) on a private port: EHLO, STARTTLS (RFC 3207) or TLS from the start, AUTH PLAIN and
 * LOGIN (RFC 4954), and a mailbox. It answers commands as it was told, to try what a client does with refusals.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly encrypted: boolean;
  /** Headers and body as they came, dots unstuffed. */
  readonly data: string;
}

export interface SmtpOptions {
  readonly security: 'none' | 'starttls' | 'tls';
  /** Lines answered in place of the usual one, by command (`MAIL`, `AUTH`, `DATA`, `greeting` …); each once. `''`: silence. */
  readonly answers?: Record<string, string[]>;
}

export interface SmtpReceiver {
  readonly port: number;
  readonly mails: Mail[];
  /** Every command line, as it came. */
  readonly commands: string[];
  /** The certificate, for clients that shall trust it. */
  readonly caFile: string;
  close(): Promise<void>;
}

export async function startSmtpReceiver({ security, answers = {} }: SmtpOptions): Promise<SmtpReceiver> {
  const folder = await mkdtemp(join(tmpdir(), 'dbbackup-smtp-'));
  const certificate = await makeCertificate(folder);
  const mails: Mail[] = [];
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const encrypt = (plain: Socket) => new TLSSocket(plain, { isServer: true, ...certificate });
    const session = new Session({ mails, commands, answers, encrypt, offersTls: security === 'starttls' });
    session.serve(security === 'tls' ? encrypt(socket) : socket);
    session.reply('greeting', '220 receiver ESMTP');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    commands,
    caFile: join(folder, 'cert.pem'),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Context {
  readonly mails: Mail[];
  readonly commands: string[];
  readonly answers: Record<string, string[]>;
  readonly offersTls: boolean;
  encrypt(plain: Socket): Socket;
}

/** One connection. `#next` gets the next line, or the whole message after DATA. */
class Session {
  readonly #context: Context;
  #peer: Socket | undefined;
  #pending = '';
  #end = '\r\n';
  #next: (text: string) => void = (line) => this.#command(line);
  #from = '';
  #to: string[] = [];
  #login: { user?: string; password?: string } = {};

  constructor(context: Context) {
    this.#context = context;
  }

  serve(peer: Socket): void {
    this.#peer = peer;
    peer.on('error', () => {});
    peer.on('data', (chunk: Buffer) => {
      this.#pending += chunk.toString('latin1');
      for (let at = this.#pending.indexOf(this.#end); at >= 0; at = this.#pending.indexOf(this.#end)) {
        const text = this.#pending.slice(0, at);
        this.#pending = this.#pending.slice(at + this.#end.length);
        this.#next(text);
      }
    });
  }

  /** True where the answer is a good one. */
  reply(command: string, line: string): boolean {
    const told = this.#context.answers[command]?.shift() ?? line;
    if (told !== '') this.#peer?.write(`${told}\r\n`);
    return /^[23]/.test(told);
  }

  #command(line: string): void {
    this.#context.commands.push(line);
    const verb = line.split(/[ :]/)[0]?.toUpperCase() ?? '';
    const known = this.#verbs[verb];
    if (known) known(line);
    else this.reply(verb, verb === 'QUIT' ? '221 bye' : '250 ok');
  }

  readonly #verbs: Readonly<Record<string, (line: string) => void>> = {
    EHLO: () => {
      const offer = this.#context.offersTls && !this.#isEncrypted ? ['250-STARTTLS'] : [];
      this.reply('EHLO', ['250-receiver', ...offer, '250-AUTH PLAIN LOGIN', '250 8BITMIME'].join('\r\n'));
    },
    STARTTLS: () => {
      const plain = this.#peer;
      if (!this.reply('STARTTLS', '220 go ahead') || plain === undefined) return;
      plain.removeAllListeners('data');
      this.serve(this.#context.encrypt(plain));
    },
    AUTH: (line) => {
      const [, method, initial] = line.split(' ');
      if (method === 'LOGIN') this.#ask('334 VXNlcm5hbWU6', (user) => this.#askPassword(decode(user)));
      else if (initial === undefined) this.#ask('334 ', (text) => this.#signInPlain(text));
      else this.#signInPlain(initial);
    },
    MAIL: (line) => {
      this.#from = addressIn(line);
      this.#to = [];
      this.reply('MAIL', '250 ok');
    },
    RCPT: (line) => {
      if (this.reply('RCPT', '250 ok')) this.#to.push(addressIn(line));
    },
    DATA: () => {
      if (!this.reply('DATA', '354 send it')) return;
      this.#end = '\r\n.\r\n';
      this.#next = (text) => this.#message(text);
    },
  };

  get #isEncrypted(): boolean {
    return this.#peer instanceof TLSSocket;
  }

  #ask(question: string, next: (line: string) => void): void {
    this.#peer?.write(`${question}\r\n`);
    this.#next = next;
  }

  #askPassword(user: string): void {
    this.#ask('334 UGFzc3dvcmQ6', (password) => this.#signIn(user, decode(password)));
  }

  #signInPlain(text: string): void {
    const [, user = '', password = ''] = decode(text).split('\0');
    this.#signIn(user, password);
  }

  #signIn(user: string, password: string): void {
    this.#next = (line) => this.#command(line);
    if (this.reply('AUTH', '235 welcome')) this.#login = { user, password };
  }

  #message(text: string): void {
    this.#end = '\r\n';
    this.#next = (line) => this.#command(line);
    if (!this.reply('end', '250 queued as 42')) return;
    const data = Buffer.from(text.replaceAll('\r\n..', '\r\n.'), 'latin1').toString('utf8');
    const { user, password } = this.#login;
    this.#context.mails.push({ from: this.#from, to: this.#to, user, password, encrypted: this.#isEncrypted, data });
  }
}

async function makeCertificate(folder: string): Promise<{ key: Buffer; cert: Buffer }> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const about = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...about]);
  return { key: await readFile(key), cert: await readFile(cert) };
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString();
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? '';
}
