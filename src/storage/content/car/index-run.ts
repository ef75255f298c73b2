import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { writeDurably } from '../../files.ts';

/**
 * One immutable file of the index: where the blocks of many CAR files lie, in 65,536 buckets by the first two bytes of
 * the digest, so that a look-up is one small read, and none where the bucket is empty.
 *
 *   magic (8) | number of entries (4) | bytes of the list of CARs (4) | sha2-256 of the buckets' ends and the list (32)
 *   ends of the buckets, counted in entries (4 × 65,536)
 *   entries (46 each): digest (32) | number of the CAR in the list (4) | offset (6) | length (4)
 *   list of CARs: lines `ROOT SIZE`
 *
 * Numbers are big-endian. Everything in it can be had from the CAR files again.
 */
const MAGIC = Buffer.from('MSCARIX1', 'latin1');
const HEADER_BYTES = 48;
export const BUCKETS = 65_536;
const ENDS_BYTES = 4 * BUCKETS;
const ENTRY_BYTES = 46;
const ENTRIES_AT = HEADER_BYTES + ENDS_BYTES;

/** A CAR file, and its size, which tells whether an entry was made for this very file. */
export interface Car {
  readonly root: string;
  readonly size: number;
}

/** Where the bytes of a block lie. */
export interface Location {
  readonly car: Car;
  readonly offset: number;
  readonly length: number;
}

export interface Entry {
  /** sha2-256 of the block. */
  readonly digest: Buffer;
  readonly location: Location;
}

export interface IndexRun {
  readonly path: string;
  readonly entries: number;
  readonly cars: readonly Car[];
  find(digest: Buffer): readonly Location[];
  /** The entries of these buckets, the last included, bucket by bucket. */
  between(firstBucket: number, lastBucket: number): readonly Entry[];
  close(): void;
}

export function bucketOf(digest: Buffer): number {
  return digest.readUInt16BE(0);
}

/** undefined when the file is no such run, or torn. Reads are synchronous: they take a few microseconds each. */
export function openRun(path: string): IndexRun | undefined {
  const file = openSync(path, 'r');
  const run = readRun(path, file);
  if (run === undefined) closeSync(file);
  return run;
}

function readRun(path: string, file: number): IndexRun | undefined {
  const header = readAt(file, 0, HEADER_BYTES);
  if (header.length < HEADER_BYTES || !header.subarray(0, 8).equals(MAGIC)) return undefined;
  const entries = header.readUInt32BE(8);
  const listBytes = header.readUInt32BE(12);
  const listAt = ENTRIES_AT + entries * ENTRY_BYTES;
  if (fstatSync(file).size !== listAt + listBytes) return undefined;
  const ends = readAt(file, HEADER_BYTES, ENDS_BYTES);
  const list = readAt(file, listAt, listBytes);
  if (!checksum(ends, list).equals(header.subarray(16))) return undefined;

  const cars = parseList(list);
  const endOf = (bucket: number) => (bucket < 0 ? 0 : ends.readUInt32BE(4 * bucket));
  const read = (firstBucket: number, lastBucket: number) => {
    const start = endOf(firstBucket - 1);
    const count = endOf(lastBucket) - start;
    return count === 0 ? EMPTY : readAt(file, ENTRIES_AT + start * ENTRY_BYTES, count * ENTRY_BYTES);
  };
  const locationAt = (bytes: Buffer, at: number): Location => ({
    car: cars[bytes.readUInt32BE(at + 32)] ?? NO_CAR,
    offset: bytes.readUIntBE(at + 36, 6),
    length: bytes.readUInt32BE(at + 42),
  });
  return {
    path,
    entries,
    cars,
    find(digest) {
      const bytes = read(bucketOf(digest), bucketOf(digest));
      const found: Location[] = [];
      for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
        if (digest.compare(bytes, at, at + 32) === 0) found.push(locationAt(bytes, at));
      }
      return found;
    },
    between(firstBucket, lastBucket) {
      const bytes = read(firstBucket, lastBucket);
      return Array.from({ length: bytes.length / ENTRY_BYTES }, (_, index) => {
        const at = index * ENTRY_BYTES;
        return { digest: bytes.subarray(at, at + 32), location: locationAt(bytes, at) };
      });
    },
    close: () => closeSync(file),
  };
}

const EMPTY = Buffer.alloc(0);
const NO_CAR: Car = { root: '', size: -1 };

/** Writes a run durably. `chunks` give the entries in the order of their buckets. */
export async function writeRun(path: string, chunks: AsyncIterable<readonly Entry[]>): Promise<void> {
  await writeDurably(path, async (file) => {
    const ends = Buffer.alloc(ENDS_BYTES);
    const cars = new Map<string, number>();
    let entries = 0;
    let bucket = 0;
    for await (const chunk of chunks) {
      const bytes = Buffer.allocUnsafe(chunk.length * ENTRY_BYTES);
      for (const [index, { digest, location }] of chunk.entries()) {
        for (; bucket < bucketOf(digest); bucket++) ends.writeUInt32BE(entries + index, 4 * bucket);
        const line = `${location.car.root} ${location.car.size}`;
        const car = cars.get(line) ?? cars.size;
        cars.set(line, car);
        const at = index * ENTRY_BYTES;
        digest.copy(bytes, at);
        bytes.writeUInt32BE(car, at + 32);
        bytes.writeUIntBE(location.offset, at + 36, 6);
        bytes.writeUInt32BE(location.length, at + 42);
      }
      await file.write(bytes, 0, bytes.length, ENTRIES_AT + entries * ENTRY_BYTES);
      entries += chunk.length;
    }
    for (; bucket < BUCKETS; bucket++) ends.writeUInt32BE(entries, 4 * bucket);
    const list = Buffer.from([...cars.keys()].join('\n'), 'latin1');
    const header = Buffer.concat([MAGIC, Buffer.alloc(8), checksum(ends, list)]);
    header.writeUInt32BE(entries, 8);
    header.writeUInt32BE(list.length, 12);
    await file.write(list, 0, list.length, ENTRIES_AT + entries * ENTRY_BYTES);
    await file.write(Buffer.concat([header, ends]), 0, ENTRIES_AT, 0);
  });
}

function checksum(ends: Buffer, list: Buffer): Buffer {
  return createHash('sha256').update(ends).update(list).digest();
}

function parseList(list: Buffer): readonly Car[] {
  if (list.length === 0) return [];
  return list
    .toString('latin1')
    .split('\n')
    .map((line) => {
      const [root = '', size] = line.split(' ');
      return { root, size: Number(size) };
    });
}

function readAt(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
}
