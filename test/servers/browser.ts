/**
 * A real browser without a screen: Debian's Chromium, with a profile of its own that is thrown away, behind a proxy of
 * ours. Every request that it makes, to wherever, arrives here, is answered from `pages` or refused, and is written down.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inflateSync } from 'node:zlib';

const exec = promisify(execFile);
/** Pages are asked for under this name, which no server has. */
const host = 'http://report.test';

export interface Browser {
  /** Path → HTML. */
  readonly pages: Map<string, string>;
  /** What was asked for but by the browser for itself, as `GET http://report.test/page`, `CONNECT elsewhere:443`. */
  readonly requests: string[];
  /** The document after it was laid out, and what the browser complained of. */
  dumpDom(path: string): Promise<{ readonly dom: string; readonly complaints: string }>;
  screenshot(path: string, file: string, look: Look): Promise<void>;
  close(): Promise<void>;
}

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
}

const flags = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--hide-scrollbars'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const longestMs = 60_000;
/** Chromium asks these for itself, whatever the flags say. No page has business there. */
const itsOwn = /^(?:CONNECT |[A-Z]+ http:\/\/)(?:update\.googleapis|clients2\.google|accounts\.google)\.com[:/]/;

export async function openBrowser(): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'dbbackup-browser-'));
  const pages = new Map<string, string>();
  const requests: string[] = [];
  const note = (request: IncomingMessage) => {
    const line = `${request.method} ${request.url}`;
    if (!itsOwn.test(line)) requests.push(line);
  };
  const server = createServer((request, response) => {
    note(request);
    const page = request.url?.startsWith(host) ? pages.get(request.url.slice(host.length)) : undefined;
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
  });
  server.on('connect', (request, socket) => {
    note(request);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const own = [`--user-data-dir=${profile}`, `--proxy-server=http://127.0.0.1:${port}`];
  const run = (...args: string[]) =>
    exec('chromium', [...flags, ...own, ...args], { timeout: longestMs, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 });
  return {
    pages,
    requests,
    async dumpDom(path) {
      const { stdout, stderr } = await run('--enable-logging=stderr', '--dump-dom', host + path);
      return {
        dom: stdout,
        complaints: stderr
          .split('\n')
          .filter((line) => line.includes('CONSOLE'))
          .join('\n'),
      };
    },
    async screenshot(path, file, { width, height, dark = false }) {
      const scheme = dark ? ['--blink-settings=preferredColorScheme=0'] : [];
      // Without waiting, tiles at the edge may be missing.
      const wait = '--virtual-time-budget=3000';
      await run(...scheme, wait, `--window-size=${width},${height}`, `--screenshot=${file}`, host + path);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** How many different lines of pixels a PNG has: a blank page has one or two. */
export function distinctLines(png: Buffer): number {
  const parts: Buffer[] = [];
  let [width, height] = [0, 0];
  for (let at = 8; at < png.length; ) {
    const [length, type] = [png.readUInt32BE(at), png.toString('latin1', at + 4, at + 8)];
    const content = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') [width, height] = [content.readUInt32BE(0), content.readUInt32BE(4)];
    if (type === 'IDAT') parts.push(content);
    at += length + 12;
  }
  const pixels = inflateSync(Buffer.concat(parts));
  const line = pixels.length / height;
  if (width === 0 || !Number.isInteger(line)) throw new Error('no PNG that can be understood');
  return new Set(Array.from({ length: height }, (_, y) => pixels.toString('latin1', y * line, (y + 1) * line))).size;
}
