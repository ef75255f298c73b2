import { createServer } from 'node:net';

/** A TCP port of 127.0.0.1 that nobody listens on at the moment. Where a server can be given port 0, prefer that. */
export async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}
