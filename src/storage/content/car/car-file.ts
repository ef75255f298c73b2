import { createReadStream } from 'node:fs';
import { blockLength, createWriter, headerLength } from '@ipld/car/buffer-writer';
import { CarIndexer } from '@ipld/car/indexer';
import { CID } from 'multiformats/cid';
import { invariant } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { matchesCid, parseCid } from '../cid.ts';
import { type Batch, MAX_BLOCK_BYTES } from '../port.ts';

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
  const sorted = blocks
    .toSorted((one, other) => (one.cid < other.cid ? -1 : 1))
    .map(({ cid, bytes }) => ({ cid: CID.parse(cid), text: cid, bytes }));
  const roots = [CID.parse(root)];
  const length = sorted.reduce((sum, block) => sum + blockLength(block), headerLength({ roots }));
  const writer = createWriter(new ArrayBuffer(length), { roots });
  let end = headerLength({ roots });
  const positions = sorted.map((block) => {
    invariant(matchesCid(block.text, block.bytes), 'A block is not what its CID says.');
    invariant(block.bytes.byteLength <= MAX_BLOCK_BYTES, 'A block is too large.');
    writer.write(block);
    end += blockLength(block);
    return {
      digest: Buffer.from(block.cid.multihash.digest),
      offset: end - block.bytes.byteLength,
      length: block.bytes.byteLength,
    };
  });
  return { bytes: writer.close(), positions };
}

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
