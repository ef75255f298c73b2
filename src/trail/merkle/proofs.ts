import { assemble, emptyRoot, planConsistency, planInclusion, planRoot, type RangePlan } from 'medseal-chaincode/rules';
import { invariant } from '../../errors.ts';
import { hashIn, placeOf, type Tile, type TileId } from './tiles.ts';

/** Reads the stored tiles that are asked for, in any order. They may hold more hashes than the proof's tree has. */
export type ReadTiles = (tiles: readonly TileId[]) => Promise<readonly Tile[]>;

/**
 * RFC 9162 §2.1.3: that the leaf `index` is in the tree of `size` leaves. One read of at most two tiles for every
 * 256-fold of the size.
 */
export async function inclusionProof(index: number, size: number, readTiles: ReadTiles): Promise<Uint8Array[]> {
  invariant(index >= 0 && index < size, 'the leaf is not in the tree');
  return prove(planInclusion(index, size), readTiles);
}

/** RFC 9162 §2.1.4: that the tree of `newSize` leaves extends the one of `oldSize`. */
export async function consistencyProof(oldSize: number, newSize: number, readTiles: ReadTiles): Promise<Uint8Array[]> {
  invariant(oldSize >= 1 && oldSize <= newSize, 'there is no consistency proof between these sizes');
  return prove(planConsistency(oldSize, newSize), readTiles);
}

/** The root that the tree had when it had `size` leaves. */
export async function rootAt(size: number, readTiles: ReadTiles): Promise<Uint8Array> {
  if (size === 0) return emptyRoot();
  const [root] = await prove([planRoot(size)], readTiles);
  invariant(root !== undefined, 'the root of a tree is one hash');
  return root;
}

async function prove(plan: readonly RangePlan[], readTiles: ReadTiles): Promise<Uint8Array[]> {
  const wanted = new Map(plan.flat().map((node) => [keyOf(placeOf(node).tile), placeOf(node).tile]));
  if (wanted.size === 0) return [];
  const contents = new Map((await readTiles([...wanted.values()])).map((tile) => [keyOf(tile), tile.hashes]));
  return assemble(plan, (node) => {
    const { tile, first, count } = placeOf(node);
    return hashIn(contents.get(keyOf(tile)) ?? new Uint8Array(), first, count);
  });
}

function keyOf({ level, index }: TileId): string {
  return `${level}/${index}`;
}
