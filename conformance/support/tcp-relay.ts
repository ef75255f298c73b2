import { connect, createServer, type Socket } from 'node:net';

/** A TCP port of 127.0.0.1 that leads to another one, until it is cut or falls silent. */
export interface TcpRelay {
  readonly port: number;
  /** Closes every connection, and takes no more. */
  cut(): Promise<void>;
  /** Keeps the connections, and lets nothing through any more: what a broken network does. */
  silence(): void;
  /** Leads there again, by new connections: what was lost on the old ones stays lost. */
  restore(): Promise<void>;
}

/** @param to a port of 127.0.0.1, or the path of a socket */
export async function startRelay(to: number | string): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let isSilent = false;
  const server = createServer((client) => {
    if (isSilent) {
      // Taken by the machine in between; nobody answers.
      sockets.add(client);
      client.on('error', () => undefined).on('close', () => sockets.delete(client));
      return;
    }
    const upstream = typeof to === 'string' ? connect(to) : connect(to, '127.0.0.1');
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
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    cut: () =>
      new Promise((resolve) => {
        if (!server.listening) return resolve();
        server.close(() => resolve());
        hangUp();
      }),
    silence() {
      isSilent = true;
    },
    async restore() {
      isSilent = false;
      hangUp();
      if (!server.listening) await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    },
  };
}
