import { createServer, type Server } from 'node:net';
import type { Membership } from './organisations.ts';

export const LOOPBACK = '127.0.0.1';

/** A node's ports, by what they are for. */
export type Ports = Readonly<Record<'listen' | 'operations' | 'extra', number>>;

/** The ports of every node of a network: by `hospital-a.peer`, `.orderer`, `.chaincode`. `extra` is the admin's of an
 * orderer, and where chaincode could connect of a peer. */
export type AddressBook = Readonly<Record<string, Ports>>;

/** Free ports of the loopback address for every node. All are held until all are found. */
export async function findAddresses({ organisations, orderers }: Membership): Promise<AddressBook> {
  const names = [
    ...orderers.map(({ name }) => `${name}.orderer`),
    ...organisations.flatMap(({ name }) => [`${name}.peer`, `${name}.chaincode`]),
  ];
  const servers: Server[] = [];
  const port = async () => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, LOOPBACK, resolve));
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  };
  const book: Record<string, Ports> = {};
  for (const name of names) book[name] = { listen: await port(), operations: await port(), extra: await port() };
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return book;
}

/** @throws Error when the book has no such node */
export function portsOf(book: AddressBook, node: string): Ports {
  const ports = book[node];
  if (ports === undefined) throw new Error(`${node} has no address`);
  return ports;
}

/** The channel's configuration with the book's addresses in the place of Docker's, `peer.hospital-a.example:7051`. */
export function withAddresses(configtx: string, book: AddressBook): string {
  let text = configtx;
  for (const [node, { listen }] of Object.entries(book)) {
    const [name, kind] = node.split('.');
    const host = `${kind}.${name}.example`.replaceAll('.', '\\.');
    text = text
      .replaceAll(new RegExp(`Host: ${host}(\\s+)Port: \\d+`, 'g'), `Host: ${LOOPBACK}$1Port: ${listen}`)
      .replaceAll(new RegExp(`${host}:\\d+`, 'g'), `${LOOPBACK}:${listen}`);
  }
  return text;
}
