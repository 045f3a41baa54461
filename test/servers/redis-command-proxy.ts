/** A TCP relay in front of a Redis that sees each command, and cuts the connection before it, or when only the server has it. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** `before`: the server never sees it. `after`: the server does it, and the client never hears of it. */
export type Verdict = 'pass' | 'before' | 'after';

export interface RedisCommandProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** `judge` gets the names of commands in the order of their coming; everything waits for it. */
export async function startRedisCommandProxy(
  behind: number,
  judge: (name: string) => Verdict | Promise<Verdict>,
): Promise<RedisCommandProxy> {
  const sockets = new Set<Socket>();
  /** The server still works on what it has got of them. */
  const cut = new Set<Socket>();
  const server = createServer((client) => {
    const onward = connect({ host: '127.0.0.1', port: behind });
    for (const socket of [client, onward]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    const relay = async (): Promise<void> => {
      for await (const chunk of client as AsyncIterable<Buffer>) {
        if (await passOn(chunk, onward, judge)) continue;
        cut.add(onward);
        onward
          .on('close', () => cut.delete(onward))
          .removeAllListeners('data')
          .resume()
          .end();
        client.destroy();
        return;
      }
      onward.end();
    };
    relay().catch(() => onward.destroy());
    onward.on('data', (chunk) => client.write(chunk));
    onward.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) if (!cut.has(socket)) socket.destroy();
      await Promise.all([...cut].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** False: up to here and no further. */
async function passOn(chunk: Buffer, onward: Socket, judge: (name: string) => Verdict | Promise<Verdict>) {
  for (const { name, bytes } of commandsIn(chunk)) {
    const verdict = name === undefined ? 'pass' : await judge(name);
    if (verdict !== 'before') onward.write(bytes);
    if (verdict !== 'pass') return false;
  }
  return true;
}

/** What is no beginning of a command is the rest of the one before. */
function commandsIn(chunk: Buffer): readonly { readonly name: string | undefined; readonly bytes: Buffer }[] {
  const found = [...chunk.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n([A-Za-z-]+)\r\n/g)];
  const starts = [0, ...found.map(({ index }) => index)];
  return starts
    .map((start, at) => ({ name: found[at - 1]?.[1], bytes: chunk.subarray(start, starts[at + 1] ?? chunk.length) }))
    .filter(({ bytes }) => bytes.length > 0);
}
