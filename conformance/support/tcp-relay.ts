import { connect, createServer, type Socket } from 'node:net';

/** A TCP port of 127.0.0.1 that leads to another one, until it is cut or falls silent. */
export interface TcpRelay {
  readonly port: number;
  /** Closes every connection, and takes no more. */
  cut(): Promise<void>;
  /** Keeps the connections, and lets nothing through any more: what a broken network does. */
  silence(): void;
}

export async function startRelay(to: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let isSilent = false;
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1');
    for (const [from, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => isSilent || other.write(bytes));
      from.on('error', () => other.destroy());
      from.on('close', () => {
        sockets.delete(from);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    cut: () =>
      new Promise((resolve) => {
        if (!server.listening) return resolve();
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    silence() {
      isSilent = true;
    },
  };
}
