/** A TCP relay on loopback in front of any server: drops connections at a byte, stalls them, cuts them. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpFaultProxy {
  readonly port: number;
  /** Bytes sent towards the server so far, over all connections. */
  readonly sentBytes: number;
  /** Cuts the connection that carries the byte with this number, counted from now; once. */
  dropAfter(bytes: number, direction: 'to-server' | 'to-client'): void;
  /** Passes nothing on in either direction, until the returned function is called. */
  stall(): () => void;
  /** The same from the moment when so many bytes, counted from now, have been sent towards the server. */
  stallAfter(bytes: number): () => void;
  /** Cuts every connection now. */
  cut(): void;
  close(): Promise<void>;
}

export async function startTcpFaultProxy(behind: number): Promise<TcpFaultProxy> {
  const sockets = new Set<Socket>();
  const left = { 'to-server': Number.POSITIVE_INFINITY, 'to-client': Number.POSITIVE_INFINITY };
  let stalled = false;
  let sentBytes = 0;
  let stallAt = Number.POSITIVE_INFINITY;
  const stall = () => {
    stalled = true;
    stallAt = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.pause();
  };
  const release = () => {
    stalled = false;
    stallAt = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.resume();
  };

  const relay = (from: Socket, to: Socket, direction: keyof typeof left) => {
    from.on('data', (chunk) => {
      if (direction === 'to-server') sentBytes += chunk.length;
      if (sentBytes >= stallAt) stall();
      left[direction] -= chunk.length;
      if (left[direction] <= 0) {
        left[direction] = Number.POSITIVE_INFINITY;
        from.resetAndDestroy();
        to.resetAndDestroy();
        return;
      }
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => stalled || from.resume());
      }
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => sockets.delete(from));
    if (stalled) from.pause();
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const onward = connect({ host: '127.0.0.1', port: behind, allowHalfOpen: true });
    for (const socket of [client, onward]) sockets.add(socket);
    relay(client, onward, 'to-server');
    relay(onward, client, 'to-client');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get sentBytes() {
      return sentBytes;
    },
    dropAfter(bytes, direction) {
      left[direction] = bytes;
    },
    stall() {
      stall();
      return release;
    },
    stallAfter(bytes) {
      stallAt = sentBytes + bytes;
      return release;
    },
    cut,
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
