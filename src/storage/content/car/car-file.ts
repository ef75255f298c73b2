import { createReadStream } from 'node:fs';
import { createWriter } from '@ipld/car/buffer-writer';
import { CarIndexer } from '@ipld/car/indexer';
import { CID } from 'multiformats/cid';
import { invariant } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { cidBytes, digestOf, matchesCidBytes, parseCid } from '../cid.ts';
import { type Batch, MAX_BLOCK_BYTES } from '../port.ts';
import { sectionLength, writeSection } from './sections.ts';

/** Where a block's bytes lie in a CAR file. */
export interface Position {
  /** sha2-256 of the block. */
  readonly digest: Buffer;
  readonly offset: number;
  readonly length: number;
}

/** A batch as the bytes of one CARv1 file, and where its blocks lie in it. https://ipld.io/specs/transport/car/carv1/ */
export interface EncodedCar {
  readonly bytes: Uint8Array;
  readonly positions: readonly Position[];
}

/** The same batch always gives the same bytes, whatever the order of its blocks. */
export function encodeCar({ root, blocks }: Batch): EncodedCar {
  invariant(
    blocks.some(({ cid }) => cid === root),
    'The root of a batch is not among its blocks.',
  );
  const header = createWriter(new ArrayBuffer(HEADER_LIMIT), { roots: [CID.parse(root)] }).close({ resize: true });
  const sorted = blocks.toSorted((one, other) => (one.cid < other.cid ? -1 : 1));
  const length = sorted.reduce((sum, { bytes }) => sum + sectionLength(bytes.byteLength), header.byteLength);
  const car = Buffer.allocUnsafe(length);
  car.set(header);
  let end = header.byteLength;
  const positions = sorted.map(({ cid: text, bytes }): Position => {
    const cid = cidBytes(text);
    invariant(cid !== undefined && matchesCidBytes(cid, bytes), 'A block is not what its CID says.');
    invariant(bytes.byteLength <= MAX_BLOCK_BYTES, 'A block is too large.');
    end = writeSection(car, end, cid, bytes);
    return { digest: digestOf(cid), offset: end - bytes.byteLength, length: bytes.byteLength };
  });
  return { bytes: car, positions };
}

/** Of a header with one root. */
const HEADER_LIMIT = 128;

/** Reads through a CAR file for where its blocks lie. What follows damage is not found, and logged. */
export async function readPositions(path: string, logger: Logger): Promise<readonly Position[]> {
  const positions: Position[] = [];
  try {
    const car = await CarIndexer.fromIterable(createReadStream(path));
    for await (const { cid, blockOffset: offset, blockLength: length } of car) {
      // Only what we can be asked for: a file put here by hand may hold more.
      const digest = parseCid(cid.toString())?.digest;
      if (digest !== undefined) positions.push({ digest, offset, length });
    }
  } catch (error) {
    logger.error({ err: error, file: path }, 'a file of the content store is damaged');
  }
  return positions;
}
