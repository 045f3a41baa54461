/** An HTTP server on loopback that passes requests on to another one, and spoils those that a rule picks. */
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type HttpFault =
  /** Takes the request, passes nothing on, and answers this. */
  | { readonly kind: 'answer'; readonly status: number; readonly body?: string }
  /** Cuts the connection after so many bytes of the request's body; the server behind sees it cut as well. */
  | { readonly kind: 'cut-request'; readonly afterBytes: number }
  /** The server behind does its work, and the answer is lost. */
  | { readonly kind: 'lose-answer' }
  /** Cuts the connection after so many bytes of the answer's body. */
  | { readonly kind: 'cut-answer'; readonly afterBytes: number }
  /** Reads no further and answers nothing, until `close`. */
  | { readonly kind: 'stall' }
  /** Sends so many bytes of the answer's body, then nothing. */
  | { readonly kind: 'stall-answer'; readonly afterBytes: number }
  /** Other bytes reach the server behind. */
  | { readonly kind: 'alter-request'; change(chunk: Buffer): Buffer }
  /** Does this first, then passes the request on unspoilt. */
  | { readonly kind: 'before'; act(): Promise<void> };

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface HttpFaultProxy {
  readonly port: number;
  readonly endpoint: string;
  /** Every request, oldest first. */
  readonly seen: SeenRequest[];
  /** Asked for every request; undefined: it passes unspoilt. */
  rule: (request: SeenRequest) => HttpFault | undefined;
  /** Ends everything that stalls. */
  release(): void;
  close(): Promise<void>;
}

export async function startHttpFaultProxy(behind: number): Promise<HttpFaultProxy> {
  const stalled = new Set<Socket>();
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const about = { method: request.method ?? '', url: request.url ?? '', headers: request.headers };
    seen.push(about);
    // A request that was destroyed knows its socket no more.
    const { socket } = request;
    serve(request, response, behind, proxy.rule(about), stalled).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: HttpFaultProxy = {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    seen,
    rule: () => undefined,
    release() {
      for (const socket of stalled) socket.destroy();
      stalled.clear();
    },
    async close() {
      proxy.release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  behind: number,
  fault: HttpFault | undefined,
  stalled: Set<Socket>,
): Promise<void> {
  const { socket } = request;
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  if (fault?.kind === 'stall') {
    stalled.add(socket);
    return;
  }
  if (fault?.kind === 'before') await fault.act();
  if (fault?.kind === 'answer') {
    for await (const _ of request);
    response.writeHead(fault.status, { 'content-type': 'application/xml' }).end(fault.body ?? '');
    return;
  }
  const answer = await passOn(request, behind, fault);
  if (fault?.kind === 'lose-answer') {
    for await (const _ of answer);
    socket.destroy();
    return;
  }
  response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
  if (fault?.kind === 'cut-answer') await sendSome(answer, response, fault.afterBytes, () => socket.destroy());
  else if (fault?.kind === 'stall-answer')
    await sendSome(answer, response, fault.afterBytes, () => stalled.add(socket));
  else await pipeline(answer, response);
}

function passOn(request: IncomingMessage, behind: number, fault: HttpFault | undefined): Promise<IncomingMessage> {
  const { method, url } = request;
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name !== 'expect'));
  return new Promise((resolve, reject) => {
    const onward = httpRequest({ host: '127.0.0.1', port: behind, method, path: url, headers, agent: false });
    onward.on('response', resolve).on('error', reject);
    let passed = 0;
    const spoil = new Transform({
      transform(chunk: Buffer, _, done) {
        passed += chunk.length;
        if (fault?.kind === 'cut-request' && passed > fault.afterBytes) done(new Error('cut'));
        else done(null, fault?.kind === 'alter-request' ? fault.change(chunk) : chunk);
      },
    });
    pipeline(request, spoil, onward).catch(reject);
  });
}

async function sendSome(answer: IncomingMessage, response: ServerResponse, bytes: number, then: () => void) {
  let left = bytes;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const some = chunk.subarray(0, left);
    left -= some.length;
    if (some.length > 0) await new Promise((resolve) => response.write(some, resolve));
    if (left === 0) break;
  }
  then();
}
