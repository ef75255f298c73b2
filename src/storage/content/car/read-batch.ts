import { CarBufferReader } from '@ipld/car/buffer-reader';
import { MedSealError } from '../../../errors.ts';
import { matchesCid } from '../cid.ts';
import type { Batch } from '../port.ts';

/**
 * A batch out of the bytes of a CARv1 file, whoever they came from: every block is compared with its CID.
 *
 * @throws MedSealError `sealed-content-damaged`
 */
export function readBatch(car: Uint8Array): Batch {
  const { roots, blocks } = decode(car);
  const [root] = roots;
  const unique = new Map(blocks.map((block) => [block.cid, block]));
  for (const { cid, bytes } of unique.values()) {
    if (!matchesCid(cid, bytes)) throw damaged('A block of a CAR is not what its CID says.');
  }
  if (root === undefined || roots.length > 1 || !unique.has(root)) throw damaged('A CAR does not hold its one root.');
  return { root, blocks: [...unique.values()] };
}

function decode(car: Uint8Array) {
  try {
    const reader = CarBufferReader.fromBytes(car);
    return {
      roots: reader.getRoots().map(String),
      blocks: reader.blocks().map(({ cid, bytes }) => ({ cid: cid.toString(), bytes })),
    };
  } catch (cause) {
    throw damaged('A CAR cannot be read.', cause);
  }
}

function damaged(message: string, cause?: unknown): MedSealError {
  return new MedSealError('sealed-content-damaged', message, { cause });
}
