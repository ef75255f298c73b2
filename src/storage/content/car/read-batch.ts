import { CID } from 'multiformats/cid';
import { MedSealError } from '../../../errors.ts';
import { cidOfBytes, matchesCidBytes } from '../cid.ts';
import type { Batch } from '../port.ts';
import { readRoots, readSections, type Section } from './sections.ts';

/**
 * A batch out of the bytes of a CARv1 file, whoever they came from: every block is compared with its CID.
 *
 * @throws MedSealError `sealed-content-damaged`
 */
export function readBatch(car: Uint8Array): Batch {
  const { roots, sections } = readCar(car);
  const [root] = roots;
  const blocks = new Map<string, Uint8Array>();
  for (const { cid, bytes } of sections) {
    const text = cidOfBytes(cid);
    if (text === undefined || !matchesCidBytes(cid, bytes)) throw damaged('A block of a CAR is not what its CID says.');
    blocks.set(text, bytes);
  }
  if (root === undefined || roots.length > 1 || !blocks.has(root)) throw damaged('A CAR does not hold its one root.');
  return { root, blocks: [...blocks].map(([cid, bytes]) => ({ cid, bytes })) };
}

/** Unverified. @throws MedSealError `sealed-content-damaged` */
export function readCar(car: Uint8Array): { readonly roots: readonly string[]; readonly sections: readonly Section[] } {
  try {
    const bytes = Buffer.from(car.buffer, car.byteOffset, car.byteLength);
    const { roots, end } = readRoots(bytes);
    return { roots: roots.map((root) => String(CID.asCID(root))), sections: [...readSections(bytes, end)] };
  } catch (cause) {
    throw damaged('A CAR cannot be read.', cause);
  }
}

function damaged(message: string, cause?: unknown): MedSealError {
  return new MedSealError('sealed-content-damaged', message, { cause });
}
