import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { emptyRoot, leafHash, nodeHash, verifyConsistency, verifyInclusion } from './merkle.ts';
import { naiveConsistency, naiveInclusion, naiveRoot } from './merkle-naive.ts';
import { assemble, foldRange, type NodeId, planConsistency, planInclusion, planRoot } from './merkle-proof.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (text: string): Uint8Array => Buffer.from(text, 'hex');

// The leaves and roots that certificate-transparency implementations share (merkle_tree_test in Google's C++, Go, …).
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (leaf) => leafHash(unhex(leaf)),
);
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
// The paths of the same test data, leaf numbers from 0.
const INCLUSION: readonly [index: number, size: number, path: readonly string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
];
const CONSISTENCY: readonly [oldSize: number, newSize: number, path: readonly string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

function rootOf(index: number): Uint8Array {
  return unhex(ROOTS[index] ?? '');
}

/** Hashes of perfect subtrees, computed from the leaves each time. */
function nodesOf(leaves: readonly Uint8Array[]) {
  return (node: NodeId): Uint8Array => {
    const width = 2 ** node.level;
    assert.ok((node.index + 1) * width <= leaves.length, 'a proof may only use nodes inside the tree');
    return naiveRoot(leaves.slice(node.index * width, (node.index + 1) * width));
  };
}

const pseudoLeaves = (count: number) => Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));

describe('merkle tree hashing (RFC 9162 §2.1)', () => {
  it('gives the roots of the certificate-transparency test data', () => {
    assert.equal(hex(emptyRoot()), ROOTS[0]);
    for (let size = 1; size <= LEAVES.length; size++) {
      assert.equal(hex(foldRange(planRoot(size).map(nodesOf(LEAVES)))), ROOTS[size], `size ${size}`);
    }
  });

  it('tells leaves from nodes', () => {
    const [left, right] = [unhex('00'.repeat(32)), unhex('11'.repeat(32))];
    assert.notEqual(hex(nodeHash(left, right)), hex(leafHash(Buffer.concat([left, right]))));
  });
});

describe('inclusion proofs', () => {
  it('are those of the certificate-transparency test data', () => {
    for (const [index, size, path] of INCLUSION) {
      const proof = assemble(planInclusion(index, size), nodesOf(LEAVES));
      assert.deepEqual(proof.map(hex), path, `leaf ${index} of ${size}`);
      const leaf = LEAVES[index] ?? emptyRoot();
      assert.ok(verifyInclusion({ index, size, leaf, root: rootOf(size), proof }));
    }
  });

  it('equal the recursive definition, verify, and verify nowhere else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.nat(), (size, pickIndex, pickBit) => {
        const leaves = pseudoLeaves(size);
        const index = pickIndex % size;
        const proof = assemble(planInclusion(index, size), nodesOf(leaves));
        assert.deepEqual(proof.map(hex), naiveInclusion(index, leaves).map(hex));
        const leaf = leaves[index] ?? emptyRoot();
        const claim = { index, size, leaf, root: naiveRoot(leaves), proof };
        assert.ok(verifyInclusion(claim));
        assert.ok(!verifyInclusion({ ...claim, index: (index + 1) % (size + 1) }) || size === 1);
        assert.ok(!verifyInclusion({ ...claim, proof: [...proof, leaf] }));
        assert.ok(!verifyInclusion({ ...claim, proof: proof.slice(0, -1) }) || proof.length === 0);
        assert.ok(!verifyInclusion({ ...claim, root: flip(claim.root, pickBit) }));
        assert.ok(!verifyInclusion({ ...claim, leaf: flip(leaf, pickBit) }));
      }),
    );
  });

  it('are refused outside the tree', () => {
    const leaf = LEAVES[0] ?? emptyRoot();
    for (const [index, size] of [
      [-1, 1],
      [1, 1],
      [0, 0],
      [0.5, 1],
      [0, Number.MAX_VALUE],
    ] as const) {
      assert.ok(!verifyInclusion({ index, size, leaf, root: rootOf(1), proof: [] }), `leaf ${index} of ${size}`);
    }
  });
});

describe('consistency proofs', () => {
  it('are those of the certificate-transparency test data', () => {
    for (const [oldSize, newSize, path] of CONSISTENCY) {
      const proof = assemble(planConsistency(oldSize, newSize), nodesOf(LEAVES));
      assert.deepEqual(proof.map(hex), path, `${oldSize} to ${newSize}`);
      const claim = { oldSize, newSize, oldRoot: rootOf(oldSize), newRoot: rootOf(newSize), proof };
      assert.ok(verifyConsistency(claim));
    }
  });

  it('equal the recursive definition, verify, and verify for nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.nat(), fc.nat(), (newSize, pickOld, pickBit) => {
        const leaves = pseudoLeaves(newSize);
        const oldSize = 1 + (pickOld % (newSize - 1));
        const proof = assemble(planConsistency(oldSize, newSize), nodesOf(leaves));
        assert.deepEqual(proof.map(hex), naiveConsistency(oldSize, leaves).map(hex));
        const oldRoot = naiveRoot(leaves.slice(0, oldSize));
        const claim = { oldSize, newSize, oldRoot, newRoot: naiveRoot(leaves), proof };
        assert.ok(verifyConsistency(claim));
        assert.ok(!verifyConsistency({ ...claim, oldRoot: flip(oldRoot, pickBit) }));
        assert.ok(!verifyConsistency({ ...claim, newRoot: flip(claim.newRoot, pickBit) }));
        assert.ok(!verifyConsistency({ ...claim, proof: proof.slice(0, -1) }));
        assert.ok(!verifyConsistency({ ...claim, proof: [...proof, oldRoot] }));
      }),
    );
  });

  it('refuse an old tree that lost or changed a leaf', () => {
    const leaves = pseudoLeaves(11);
    for (let oldSize = 1; oldSize < 11; oldSize++) {
      const forged = leaves.with(oldSize - 1, leafHash(Buffer.from('forged')));
      const proof = assemble(planConsistency(oldSize, 11), nodesOf(forged));
      const oldRoot = naiveRoot(leaves.slice(0, oldSize));
      assert.ok(!verifyConsistency({ oldSize, newSize: 11, oldRoot, newRoot: naiveRoot(forged), proof }));
    }
  });

  it('are refused for sizes that cannot be', () => {
    const root = rootOf(1);
    for (const [oldSize, newSize] of [
      [0, 1],
      [2, 1],
      [-1, 1],
      [1, 1.5],
    ] as const) {
      assert.ok(!verifyConsistency({ oldSize, newSize, oldRoot: root, newRoot: root, proof: [] }));
      assert.ok(!verifyConsistency({ oldSize, newSize, oldRoot: root, newRoot: root, proof: [root] }));
    }
  });

  it('hold above 32 bits', () => {
    // A tree whose perfect subtrees are made up: only the arithmetic over the sizes is at stake.
    const node = ({ level, index }: NodeId) => leafHash(Buffer.from(`${level}/${index}`));
    const grown = 2 ** 45;
    const left = node({ level: 45, index: 0 });
    const right = [node({ level: 1, index: 2 ** 44 }), node({ level: 0, index: grown + 2 })];
    const newRoot = nodeHash(left, foldRange(right));
    const plan = planConsistency(grown, grown + 3);
    assert.deepEqual(plan, [planRoot(grown + 3).slice(1)]);
    const claim = { oldSize: grown, newSize: grown + 3, oldRoot: left, newRoot, proof: assemble(plan, node) };
    assert.ok(verifyConsistency(claim));
    assert.ok(!verifyConsistency({ ...claim, oldSize: grown + 1 }));
    const proof = assemble(planInclusion(grown + 2, grown + 3), node);
    const leaf = right[1] ?? left;
    assert.ok(verifyInclusion({ index: grown + 2, size: grown + 3, leaf, root: newRoot, proof }));
  });
});

function flip(bytes: Uint8Array, pick: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const bit = pick % (copy.length * 8);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
