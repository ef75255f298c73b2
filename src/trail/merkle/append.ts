import { emptyRoot, foldRange, planRoot } from 'medseal-chaincode/rules';
import { invariant } from '../../errors.ts';
import { HASH_BYTES, hashIn, placeOf, TILE_WIDTH, type Tile, type TileId } from './tiles.ts';

/** What appending needs to know of a tree: its size and its right edge. Immutable. */
export interface TreeState {
  /** Number of leaves. */
  readonly size: number;
  /** The content of the incomplete tile of each level, from the leaves up; empty where a level has none. */
  readonly edge: readonly Uint8Array[];
}

export const EMPTY_TREE: TreeState = { size: 0, edge: [] };

export interface Appended {
  readonly state: TreeState;
  /** Every tile that is new or longer, with its whole content: O(k / 256 + log n) for k leaves. */
  readonly tiles: readonly Tile[];
}

/** Appends leaf hashes of 32 bytes. */
export function appendLeaves(state: TreeState, leaves: readonly Uint8Array[]): Appended {
  const tiles: Tile[] = [];
  const edge = [...state.edge];
  let added: readonly Uint8Array[] = leaves;
  for (let level = 0; added.length > 0; level++) {
    const before = edge[level] ?? new Uint8Array();
    const content = Buffer.concat([before, ...added]);
    invariant(content.length === before.length + added.length * HASH_BYTES, 'a leaf hash is not 32 bytes long');
    const grown = tilesOf(level, firstTile(state.size, level), content);
    tiles.push(...grown);
    const full = grown.filter((tile) => tile.hashes.length === TILE_WIDTH * HASH_BYTES);
    edge[level] = grown[full.length]?.hashes ?? new Uint8Array();
    added = full.map((tile) => hashIn(tile.hashes, 0, TILE_WIDTH));
  }
  return { state: { size: state.size + leaves.length, edge }, tiles };
}

/** The root of the tree. RFC 9162 §2.1.1. */
export function rootOf(state: TreeState): Uint8Array {
  if (state.size === 0) return emptyRoot();
  const subtrees = planRoot(state.size).map((node) => {
    const { tile, first, count } = placeOf(node);
    return hashIn(state.edge[tile.level] ?? new Uint8Array(), first, count);
  });
  return foldRange(subtrees);
}

/** The tiles that `treeState` needs for a tree of this size: one per level at most. */
export function edgeTiles(size: number): readonly TileId[] {
  return levelsOf(size).flatMap((level) =>
    entriesAtEdge(size, level) > 0 ? [{ level, index: firstTile(size, level) }] : [],
  );
}

/** The state of a tree of this size, from the stored tiles. They may have grown beyond it by now. */
export function treeState(size: number, tiles: readonly Tile[]): TreeState {
  const edge = levelsOf(size).map((level) => {
    const bytes = entriesAtEdge(size, level) * HASH_BYTES;
    const stored = tiles.find((tile) => tile.level === level && tile.index === firstTile(size, level));
    const hashes = stored?.hashes.subarray(0, bytes) ?? new Uint8Array();
    invariant(hashes.length === bytes, 'a tile of the log is shorter than the log');
    return hashes;
  });
  return { size, edge };
}

function tilesOf(level: number, firstIndex: number, content: Uint8Array): Tile[] {
  const tileBytes = TILE_WIDTH * HASH_BYTES;
  return Array.from({ length: Math.ceil(content.length / tileBytes) }, (_, tile) => ({
    level,
    index: firstIndex + tile,
    hashes: content.subarray(tile * tileBytes, (tile + 1) * tileBytes),
  }));
}

/** Entries of a tile level in a tree of this size. */
function entriesAt(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

function entriesAtEdge(size: number, level: number): number {
  return entriesAt(size, level) % TILE_WIDTH;
}

/** The index of the tile that the next entry of a level goes into. */
function firstTile(size: number, level: number): number {
  return Math.floor(entriesAt(size, level) / TILE_WIDTH);
}

function levelsOf(size: number): number[] {
  const levels: number[] = [];
  for (let level = 0; entriesAt(size, level) > 0; level++) levels.push(level);
  return levels;
}
