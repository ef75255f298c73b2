import { connect, createServer, type Socket } from 'node:net';

/** A TCP port of 127.0.0.1 that leads to a Unix socket, and can fail as a network does. */
export interface PortProxy {
  readonly port: number;
  /**
   * Once: when a client's bytes hold `request`, they are passed on, but the answer, which begins when the server's bytes
   * hold `reply`, is not; the connection is cut instead.
   */
  loseAnswer(request: string, reply: string): void;
  close(): Promise<void>;
}

export async function startProxy(socketPath: string): Promise<PortProxy> {
  const sockets = new Set<Socket>();
  let lose: { request: string; reply: string } | undefined;
  const server = createServer((client) => {
    const upstream = connect(socketPath);
    let losing: string | undefined;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (bytes) => {
      if (lose !== undefined && bytes.includes(lose.request)) {
        losing = lose.reply;
        lose = undefined;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (losing === undefined || !bytes.includes(losing)) client.write(bytes);
      else client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    loseAnswer: (request, reply) => {
      lose = { request, reply };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
