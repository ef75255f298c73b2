import { hash } from 'node:crypto';
import { decode, encode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';

/**
 * Content identifiers: CIDv1 with sha2-256, as lower-case base32. https://github.com/multiformats/cid
 * Every sealed version needs one, so the common way is written out here (under 1 µs; `multiformats` takes several);
 * the test compares it with `multiformats`.
 */

/** `raw`: any bytes. `dag-cbor`: a block that links to others, which IPFS follows when it pins. */
export type Codec = 'raw' | 'dag-cbor';

const CODES: Readonly<Record<Codec, number>> = { raw: 0x55, 'dag-cbor': 0x71 };
const CODECS = Object.keys(CODES) as readonly Codec[];
const ALPHABET = Buffer.from('abcdefghijklmnopqrstuvwxyz234567', 'latin1');
const VALUES = new Int8Array(128).fill(-1);
for (const [value, character] of ALPHABET.entries()) VALUES[character] = value;

/** version 1, codec, sha2-256, length 32 */
const PREFIX_BYTES = 4;
export const CID_BYTES = PREFIX_BYTES + 32;
/** the multibase letter and 36 bytes of 5 bits a letter */
const TEXT_LENGTH = 1 + Math.ceil((CID_BYTES * 8) / 5);

/** The CID of a block of which the sha2-256 `digest` (32 bytes) is known already. */
export function cidOfDigest(codec: Codec, digest: Uint8Array): string {
  const text = Buffer.allocUnsafe(TEXT_LENGTH);
  text[0] = 0x62; // 'b': base32, lower case, no padding
  let at = 1;
  let pending = 0;
  let bits = 0;
  for (let index = 0; index < CID_BYTES; index++) {
    pending = ((pending & 0xff) << 8) | (cidByte(codec, digest, index) & 0xff);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text[at++] = ALPHABET[(pending >> bits) & 31] as number;
    }
  }
  text[at] = ALPHABET[(pending << (5 - bits)) & 31] as number;
  return text.toString('latin1');
}

function cidByte(codec: Codec, digest: Uint8Array, index: number): number {
  if (index >= PREFIX_BYTES) return digest[index - PREFIX_BYTES] as number;
  return index === 0 ? 1 : index === 1 ? CODES[codec] : index === 2 ? 0x12 : 0x20;
}

/** The CID of a block's bytes. */
export function cidOf(codec: Codec, bytes: Uint8Array): string {
  return cidOfDigest(codec, hash('sha256', bytes, 'buffer'));
}

/**
 * Reads a CID of the one form that we write. undefined for anything else, such as another version, codec, hash or
 * base, or a spelling that is not canonical.
 */
export function parseCid(text: string): { codec: Codec; digest: Buffer } | undefined {
  const bytes = cidBytes(text);
  const codec = bytes === undefined ? undefined : codecOf(bytes);
  return bytes === undefined || codec === undefined ? undefined : { codec, digest: bytes.subarray(PREFIX_BYTES) };
}

/** The CID in its 36 bytes; undefined as {@link parseCid}. */
export function cidBytes(text: string): Buffer | undefined {
  if (text.length !== TEXT_LENGTH || text[0] !== 'b') return undefined;
  const bytes = Buffer.allocUnsafe(CID_BYTES);
  let at = 0;
  let pending = 0;
  let bits = 0;
  for (let index = 1; index < TEXT_LENGTH; index++) {
    const value = VALUES[text.charCodeAt(index)] ?? -1;
    if (value < 0) return undefined;
    pending = ((pending & 0xff) << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (pending >> bits) & 0xff;
    }
  }
  // Encoding it again also catches the spare bits of the last letter.
  return cidOfBytes(bytes) === text ? bytes : undefined;
}

/** The text of a CID of our one form that is given in its bytes; undefined for anything else. */
export function cidOfBytes(bytes: Uint8Array): string | undefined {
  const codec = bytes.length === CID_BYTES ? codecOf(bytes) : undefined;
  if (codec === undefined || bytes[0] !== 1 || bytes[2] !== 0x12 || bytes[3] !== 0x20) return undefined;
  return cidOfDigest(codec, bytes.subarray(PREFIX_BYTES));
}

/** sha2-256 of the block, out of a CID's bytes. */
export function digestOf(cid: Buffer): Buffer {
  return cid.subarray(PREFIX_BYTES);
}

function codecOf(bytes: Uint8Array): Codec | undefined {
  return CODECS.find((name) => CODES[name] === bytes[1]);
}

/** Whether `bytes` are what `cid` names. */
export function matchesCid(cid: string, bytes: Uint8Array): boolean {
  const parsed = cidBytes(cid);
  return parsed !== undefined && matchesCidBytes(parsed, bytes);
}

/** The same of a CID that was read already. */
export function matchesCidBytes(cid: Buffer, bytes: Uint8Array): boolean {
  return hash('sha256', bytes, 'buffer').equals(digestOf(cid));
}

/** A dag-cbor block that links to `cids` in this order, so that pinning it pins them. */
export function indexBlock(cids: readonly string[]): Uint8Array {
  return encode(cids.map((cid) => CID.parse(cid)));
}

/** The CIDs that {@link indexBlock} was made of. */
export function readIndexBlock(bytes: Uint8Array): readonly string[] {
  return decode<readonly CID[]>(bytes).map(String);
}
