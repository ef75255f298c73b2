import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** A chaincode as peers install it. */
export interface ChaincodePackage {
  /** `label:hash`, by which peers and the service know it. */
  readonly id: string;
  readonly bytes: Buffer;
}

const LABEL = 'medseal';

/**
 * Packs a chaincode that runs as a service: all that is in it is how to connect. The same input gives the same bytes, so
 * every organisation that makes the package itself has the same id.
 * https://hyperledger-fabric.readthedocs.io/en/latest/cc_service.html#packaging-chaincode
 *
 * @param connection the text of `connection.json`, with `{{.…}}` for what differs from peer to peer
 */
export function packChaincode(connection: string): ChaincodePackage {
  const code = gzip({ 'connection.json': Buffer.from(connection) });
  const metadata = Buffer.from(JSON.stringify({ type: 'ccaas', label: LABEL }));
  const bytes = gzip({ 'metadata.json': metadata, 'code.tar.gz': code });
  return { id: `${LABEL}:${hash('sha256', bytes, 'hex')}`, bytes };
}

function gzip(files: Readonly<Record<string, Buffer>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => [header(name, content.length), padded(content)]);
  const packed = gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
  // RFC 1952 §2.3.1: the operating system's number, which is the only thing in it that differs from machine to machine.
  packed[9] = 0xff;
  return packed;
}

/** POSIX ustar. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(name, 0);
  block.write(octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write('0', 156);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)} `, 148);
  return block;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
