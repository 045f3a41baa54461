/** A real HTTP server on a private port that keeps what it was sent and answers as it was told. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Takes the request and never answers. */
  readonly silent?: boolean;
}

export interface HttpReceiver {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  readonly received: Received[];
  /** Given in this order; then 200 `ok`. */
  readonly answers: Answer[];
  /** Resolves when so many requests have come. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function startHttpReceiver(): Promise<HttpReceiver> {
  const received: Received[] = [];
  const answers: Answer[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      received.push({ method, path: url, headers, body: Buffer.concat(chunks).toString() });
      for (const each of waiting) if (received.length >= each.count) each.resolve();
      const answer = answers.shift() ?? { status: 200, body: 'ok' };
      if (!answer.silent) response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answers,
    arrived: (count) =>
      new Promise((resolve) => {
        if (received.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An address on which nobody listens. */
export async function deadUrl(): Promise<string> {
  const receiver = await startHttpReceiver();
  await receiver.close();
  return receiver.url;
}
