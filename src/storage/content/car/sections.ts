import { decode } from '@ipld/dag-cbor';
import { CID_BYTES } from '../cid.ts';

/** A CARv1's roots and blocks as they lie in it, with CIDs in their bytes. https://ipld.io/specs/transport/car/carv1/ */
export interface Section {
  /** 36 bytes: our one form of CID. */
  readonly cid: Buffer;
  readonly bytes: Buffer;
}

/** Writes `varint length | cid | bytes` at `at`. @returns where the next one begins */
export function writeSection(car: Buffer, at: number, cid: Uint8Array, bytes: Uint8Array): number {
  const start = writeVarint(car, at, cid.length + bytes.length);
  car.set(cid, start);
  car.set(bytes, start + cid.length);
  return start + cid.length + bytes.length;
}

export function sectionLength(block: number): number {
  return varintLength(CID_BYTES + block) + CID_BYTES + block;
}

/** What a CAR says that its roots are, in the form that `@ipld/dag-cbor` gives. @throws whatever when it cannot be read */
export function readRoots(car: Buffer): { readonly roots: readonly unknown[]; readonly end: number } {
  const [length, start] = readVarint(car, 0);
  const { version, roots } = decode<{ version?: unknown; roots?: unknown }>(car.subarray(start, start + length));
  if (version !== 1 || !Array.isArray(roots)) throw new RangeError('This is not a CARv1.');
  return { roots, end: start + length };
}

/** @throws RangeError where the bytes are no section with a CID of ours */
export function* readSections(car: Buffer, from: number): Generator<Section> {
  for (let at = from; at < car.length; ) {
    const [length, start] = readVarint(car, at);
    at = start + length;
    if (length < CID_BYTES || at > car.length)
      throw new RangeError('A CAR is cut short, or holds CIDs of another form.');
    yield { cid: car.subarray(start, start + CID_BYTES), bytes: car.subarray(start + CID_BYTES, at) };
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

function writeVarint(car: Buffer, at: number, value: number): number {
  let next = at;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) car[next++] = (rest % 0x80) | 0x80;
  car[next++] = rest;
  return next;
}

/** Unsigned LEB128. A length of more than four bytes is none of ours. @returns the value, and where it ended */
function readVarint(car: Buffer, at: number): readonly [number, number] {
  let value = 0;
  for (let index = 0; index < 4; index++) {
    const byte = car[at + index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 0x80 ** index;
    if (byte < 0x80) return [value, at + index + 1];
  }
  throw new RangeError('A CAR holds a length that cannot be read.');
}
