import { createServer, type Server } from 'node:net';
import type { Membership } from './organisations.ts';

export const LOOPBACK = '127.0.0.1';

/** Where a node listens: its ports, by what they are for. */
export interface Place extends Readonly<Record<'listen' | 'operations' | 'extra', number>> {
  readonly host: string;
}

/** The place of every node of a network: by `hospital-a.peer`, `.orderer`, `.chaincode`. `extra` is the admin's of an
 * orderer, and where chaincode could connect of a peer. */
export type AddressBook = Readonly<Record<string, Place>>;

/** Free ports of the loopback address for every node. All are held until all are found. */
export async function findAddresses(membership: Membership): Promise<AddressBook> {
  const servers: Server[] = [];
  const port = async () => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, LOOPBACK, resolve));
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  };
  const book: Record<string, Place> = {};
  for (const name of nodeNames(membership)) {
    book[name] = { host: LOOPBACK, listen: await port(), operations: await port(), extra: await port() };
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return book;
}

/** The places that `docker-compose.yml` gives: every node a host of its own. */
export function dockerAddresses(membership: Membership): AddressBook {
  const ports = {
    peer: { listen: 7051, operations: 9443, extra: 7052 },
    orderer: { listen: 7050, operations: 8443, extra: 7053 },
    chaincode: { listen: 9999, operations: 9998, extra: 0 },
  };
  return Object.fromEntries(
    nodeNames(membership).map((node) => {
      const [name, kind = ''] = node.split('.');
      return [node, { host: `${kind}.${name}.example`, ...ports[kind as keyof typeof ports] }];
    }),
  );
}

/** `hospital-a.orderer`, … */
export function nodeNames({ organisations, orderers }: Membership): readonly string[] {
  return [
    ...orderers.map(({ name }) => `${name}.orderer`),
    ...organisations.flatMap(({ name }) => [`${name}.peer`, `${name}.chaincode`]),
  ];
}

/** @throws Error when the book has no such node */
export function placeOf(book: AddressBook, node: string): Place {
  const place = book[node];
  if (place === undefined) throw new Error(`${node} has no address`);
  return place;
}

/** The channel's configuration with the book's addresses in the place of Docker's, `peer.hospital-a.example:7051`. */
export function withAddresses(configtx: string, book: AddressBook): string {
  let text = configtx;
  for (const [node, { host: to, listen }] of Object.entries(book)) {
    const [name, kind] = node.split('.');
    const host = `${kind}.${name}.example`.replaceAll('.', '\\.');
    text = text
      .replaceAll(new RegExp(`Host: ${host}(\\s+)Port: \\d+`, 'g'), `Host: ${to}$1Port: ${listen}`)
      .replaceAll(new RegExp(`${host}:\\d+`, 'g'), `${to}:${listen}`);
  }
  return text;
}
