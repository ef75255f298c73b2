import { foldRange, type NodeId } from 'medseal-chaincode/rules';
import { invariant } from '../../errors.ts';

/**
 * A log's tree is kept in tiles, as in https://c2sp.org/tlog-tiles: the tile (level, index) holds up to 256 hashes of
 * the tree's level 8 · level, from left to right; the seven levels of nodes between two tile levels are computed. So
 * the level 0 holds the leaf hashes, and a full tile is one hash of the level above. A tile only ever grows.
 */
const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;
export const HASH_BYTES = 32;

export interface TileId {
  readonly level: number;
  readonly index: number;
}

export interface Tile extends TileId {
  /** Its hashes, one after the other. */
  readonly hashes: Uint8Array;
}

/** Where a node of the tree is: the tile, and the entries [first, first + count) that it is made of. */
export interface NodePlace {
  readonly tile: TileId;
  readonly first: number;
  readonly count: number;
}

export function placeOf({ level, index }: NodeId): NodePlace {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const count = 2 ** (level % TILE_HEIGHT);
  const first = index * count;
  const tile = { level: tileLevel, index: Math.floor(first / TILE_WIDTH) };
  return { tile, first: first % TILE_WIDTH, count };
}

/** The node's hash out of its tile's content. `count` must be a power of two, as of a `NodePlace`. */
export function hashIn(hashes: Uint8Array, first: number, count: number): Uint8Array {
  const entries = hashes.subarray(first * HASH_BYTES, (first + count) * HASH_BYTES);
  invariant(entries.length === count * HASH_BYTES, 'a tile of the log is shorter than the log');
  let level = splitHashes(entries);
  while (level.length > 1) level = pairUp(level);
  return foldRange(level);
}

function splitHashes(hashes: Uint8Array): Uint8Array[] {
  return Array.from({ length: hashes.length / HASH_BYTES }, (_, entry) =>
    hashes.subarray(entry * HASH_BYTES, (entry + 1) * HASH_BYTES),
  );
}

function pairUp(hashes: readonly Uint8Array[]): Uint8Array[] {
  return Array.from({ length: hashes.length / 2 }, (_, pair) => foldRange(hashes.slice(2 * pair, 2 * pair + 2)));
}
