/**
 * For measurements only: an S3 server that is never the limit, because it forgets the bytes of parts as they come. Knows
 * just what a backup asks for; its ETags are none (`etag: opaque`).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Held {
  size: number;
  readonly mark: string | undefined;
  /** Of small objects: sidecars are read again. */
  readonly body?: Buffer;
}

interface Request {
  readonly path: string;
  readonly search: URLSearchParams;
  readonly size: number;
  readonly mark: string | undefined;
  readonly body: Buffer;
}

export interface SwallowingS3 {
  readonly options: { bucket: string; endpoint: string; accessKeyId: string; secretAccessKey: string; etag: 'opaque' };
  close(): Promise<void>;
}

const markHeader = 'x-amz-meta-dbbackup-upload';
const keptBytes = 2 ** 20;

export async function startSwallowingS3(): Promise<SwallowingS3> {
  const store = new Store();
  const server = createServer((request, response) => {
    take(request).then(
      (taken) => store.answer(request.method ?? '', taken, response.setHeader('etag', '"opaque-1"')),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    options: { bucket: 'b', endpoint, accessKeyId: 'any', secretAccessKey: 'any-canary', etag: 'opaque' },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function take(request: IncomingMessage): Promise<Request> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
  const kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= keptBytes) kept.push(chunk);
  }
  const mark = request.headers[markHeader] as string | undefined;
  return { path: pathname, search: searchParams, size, mark, body: Buffer.concat(kept) };
}

class Store {
  readonly #objects = new Map<string, Held>();
  readonly #uploads = new Map<string, Held>();

  answer(method: string, request: Request, response: ServerResponse): void {
    if (method === 'POST') this.#post(request, response);
    else if (method === 'PUT') this.#put(request, response);
    else if (method === 'DELETE') {
      this.#objects.delete(request.path);
      response.writeHead(204).end();
    } else if (request.search.has('list-type')) xml(response, this.#list(request.search.get('prefix') ?? ''));
    else this.#get(method, request, response);
  }

  #post({ path, search, mark }: Request, response: ServerResponse): void {
    const upload = this.#uploads.get(search.get('uploadId') ?? '');
    if (upload !== undefined) {
      this.#objects.set(path, upload);
      xml(response, '<CompleteMultipartUploadResult><ETag>"opaque-1"</ETag></CompleteMultipartUploadResult>');
      return;
    }
    const id = String(this.#uploads.size + 1);
    this.#uploads.set(id, { mark, size: 0 });
    xml(response, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }

  #put({ path, search, size, mark, body }: Request, response: ServerResponse): void {
    const upload = this.#uploads.get(search.get('uploadId') ?? '');
    if (upload === undefined) this.#objects.set(path, { size, mark, body });
    else upload.size += size;
    response.end();
  }

  #get(method: string, { path }: Request, response: ServerResponse): void {
    const found = this.#objects.get(path);
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('last-modified', new Date().toUTCString()).setHeader('content-length', found.size);
    if (found.mark) response.setHeader(markHeader, found.mark);
    response.end(method === 'GET' ? found.body : undefined);
  }

  #list(prefix: string): string {
    const entries = [...this.#objects].filter(([path]) => path.startsWith(`/b/${prefix}`));
    const rest = '<LastModified>2026-11-20T00:00:00.000Z</LastModified><ETag>"opaque-1"</ETag>';
    const contents = entries.map(
      ([path, { size }]) => `<Contents><Key>${path.slice(3)}</Key><Size>${size}</Size>${rest}</Contents>`,
    );
    return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`;
  }
}

function xml(response: ServerResponse, text: string): void {
  response.setHeader('content-type', 'application/xml').end(`<?xml version="1.0"?>${text}`);
}
