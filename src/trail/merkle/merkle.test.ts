import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { leafHash, verifyConsistency, verifyInclusion } from 'medseal-chaincode/rules';
import { naiveConsistency, naiveInclusion, naiveRoot } from '../../../chaincode/src/rules/merkle-naive.ts';
import { appendLeaves, EMPTY_TREE, edgeTiles, rootOf, type TreeState, treeState } from './append.ts';
import { consistencyProof, inclusionProof, rootAt } from './proofs.ts';
import { HASH_BYTES, TILE_WIDTH, type Tile, type TileId } from './tiles.ts';

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
const LARGEST = 2_600;
const leaves = Array.from({ length: LARGEST }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));

/** Tiles as a table would keep them; refuses a tile that does not extend the stored one. */
function tileStore() {
  const rows = new Map<string, Tile>();
  const reads: number[] = [];
  const keyOf = (tile: TileId) => `${tile.level}/${tile.index}`;
  return {
    rows,
    reads,
    write(tiles: readonly Tile[]) {
      for (const tile of tiles) {
        const stored = rows.get(keyOf(tile))?.hashes ?? new Uint8Array();
        assert.ok(tile.hashes.length > stored.length && tile.hashes.length <= TILE_WIDTH * HASH_BYTES);
        assert.equal(hex(tile.hashes.subarray(0, stored.length)), hex(stored));
        rows.set(keyOf(tile), tile);
      }
    },
    async read(wanted: readonly TileId[]) {
      reads.push(wanted.length);
      return wanted.flatMap((tile) => rows.get(keyOf(tile)) ?? []);
    },
  };
}

function stored(size: number, batch = size) {
  const store = tileStore();
  let state: TreeState = EMPTY_TREE;
  while (state.size < size) {
    const appended = appendLeaves(state, leaves.slice(state.size, Math.min(size, state.size + batch)));
    store.write(appended.tiles);
    state = appended.state;
  }
  return { store, state };
}

describe('appending to a log', () => {
  it('gives the root of the definition at every size', () => {
    let state = EMPTY_TREE;
    assert.equal(hex(rootOf(state)), hex(naiveRoot([])));
    for (let size = 1; size <= 600; size++) {
      state = appendLeaves(state, leaves.slice(size - 1, size)).state;
      assert.equal(hex(rootOf(state)), hex(naiveRoot(leaves.slice(0, size))), `size ${size}`);
    }
  });

  it('does not depend on how the leaves are cut into batches', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }), (batches) => {
        const store = tileStore();
        let state = EMPTY_TREE;
        for (const batch of batches) {
          const before = state.size;
          const appended = appendLeaves(state, leaves.slice(before, Math.min(before + batch, LARGEST)));
          store.write(appended.tiles);
          state = appended.state;
          assert.ok(appended.tiles.length <= Math.ceil(batch / TILE_WIDTH) + 1 + 3, 'rows written per batch');
        }
        const atOnce = stored(state.size);
        assert.deepEqual([...store.rows].map(([key, tile]) => [key, hex(tile.hashes)]).sort(), [
          ...[...atOnce.store.rows].map(([key, tile]) => [key, hex(tile.hashes)]).sort(),
        ]);
        assert.equal(hex(rootOf(state)), hex(naiveRoot(leaves.slice(0, state.size))));
      }),
      { numRuns: 40 },
    );
  });

  it('goes on from stored tiles, at any size they once had', () => {
    const { store } = stored(LARGEST, 300);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LARGEST }), (size) => {
        const tiles = edgeTiles(size).flatMap((id) => store.rows.get(`${id.level}/${id.index}`) ?? []);
        const state = treeState(size, tiles);
        assert.equal(hex(rootOf(state)), hex(naiveRoot(leaves.slice(0, size))));
        const grown = appendLeaves(state, leaves.slice(size)).state;
        assert.equal(hex(rootOf(grown)), hex(naiveRoot(leaves)));
      }),
      { numRuns: 60 },
    );
  });

  it('grows a third level of tiles', () => {
    const size = TILE_WIDTH * TILE_WIDTH + 300;
    const many = Array.from({ length: size }, (_, i) => leafHash(Buffer.from(String(i))));
    const { state, tiles } = appendLeaves(EMPTY_TREE, many);
    assert.equal(hex(rootOf(state)), hex(naiveRoot(many)));
    assert.deepEqual(
      tiles.filter((tile) => tile.level > 0).map(({ level, index, hashes }) => [level, index, hashes.length]),
      [
        [1, 0, TILE_WIDTH * HASH_BYTES],
        [1, 1, HASH_BYTES],
        [2, 0, HASH_BYTES],
      ],
    );
  });

  it('refuses what is no hash, and tiles that are missing or short', () => {
    assert.throws(() => appendLeaves(EMPTY_TREE, [new Uint8Array(31)]), /not 32 bytes/);
    assert.throws(() => treeState(5, []), /shorter than the log/);
    assert.throws(() => treeState(5, [{ level: 0, index: 0, hashes: new Uint8Array(4 * 32) }]), /shorter/);
  });
});

describe('proofs from tiles', () => {
  const { store } = stored(LARGEST, 190);
  const anySize = fc.integer({ min: 1, max: LARGEST });

  it('of inclusion equal the definition and verify', async () => {
    await fc.assert(
      fc.asyncProperty(anySize, fc.nat(), async (size, pick) => {
        const index = pick % size;
        store.reads.length = 0;
        const proof = await inclusionProof(index, size, store.read);
        assert.deepEqual(proof.map(hex), naiveInclusion(index, leaves.slice(0, size)).map(hex));
        const root = naiveRoot(leaves.slice(0, size));
        assert.ok(verifyInclusion({ index, size, leaf: leaves[index] ?? root, root, proof }));
        assert.ok(store.reads.length <= 1 && (store.reads[0] ?? 0) <= 4, 'tiles read');
      }),
      { numRuns: 150 },
    );
  });

  it('of consistency equal the definition and verify', async () => {
    await fc.assert(
      fc.asyncProperty(anySize, fc.nat(), async (newSize, pick) => {
        const oldSize = 1 + (pick % newSize);
        const proof = await consistencyProof(oldSize, newSize, store.read);
        assert.deepEqual(proof.map(hex), naiveConsistency(oldSize, leaves.slice(0, newSize)).map(hex));
        const [oldRoot, newRoot] = [naiveRoot(leaves.slice(0, oldSize)), naiveRoot(leaves.slice(0, newSize))];
        assert.ok(verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof }));
      }),
      { numRuns: 150 },
    );
  });

  it('of former roots', async () => {
    assert.equal(hex(await rootAt(0, store.read)), hex(naiveRoot([])));
    for (const size of [1, 255, 256, 257, 512, 2_000, LARGEST]) {
      assert.equal(hex(await rootAt(size, store.read)), hex(naiveRoot(leaves.slice(0, size))), `size ${size}`);
    }
  });

  it('fail for what is not in the tree, and over damaged storage', async () => {
    await assert.rejects(inclusionProof(5, 5, store.read), /not in the tree/);
    await assert.rejects(inclusionProof(-1, 5, store.read), /not in the tree/);
    await assert.rejects(consistencyProof(0, 5, store.read), /no consistency proof/);
    await assert.rejects(consistencyProof(6, 5, store.read), /no consistency proof/);
    await assert.rejects(
      inclusionProof(1, 5, async () => []),
      /shorter than the log/,
    );
  });
});
