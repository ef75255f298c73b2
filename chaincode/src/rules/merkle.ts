import { hash } from 'node:crypto';

/**
 * Merkle tree hashing and proof verification of RFC 9162 §2.1, with SHA-256. Hashes are 32 bytes. Sizes and indexes are
 * safe integers; they are halved by division, because the bitwise operators would cut them at 32 bits.
 */

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return hash('sha256', Buffer.concat(parts), 'buffer');
}

/** The root of a tree without leaves. RFC 9162 §2.1.1. */
export function emptyRoot(): Buffer {
  return sha256();
}

export function leafHash(leaf: Uint8Array): Buffer {
  return sha256(LEAF, leaf);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(NODE, left, right);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const half = (value: number) => Math.floor(value / 2);
const isOdd = (value: number) => value % 2 === 1;

/** Climbs over the levels at which the node has no sibling, as it is the last and a left one. */
function skipRightEdge(fn: number, sn: number): [fn: number, sn: number] {
  let [node, last] = [fn, sn];
  while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
  return [node, last];
}

/** RFC 9162 §2.1.3.2: whether `leaf` (a leaf hash) is at `index` in the tree of `size` leaves with this root. */
export function verifyInclusion(claim: {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}): boolean {
  if (!Number.isSafeInteger(claim.index) || !Number.isSafeInteger(claim.size)) return false;
  if (claim.index < 0 || claim.index >= claim.size) return false;
  let fn = claim.index;
  let sn = claim.size - 1;
  let hashed = claim.leaf;
  for (const sibling of claim.proof) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      hashed = nodeHash(sibling, hashed);
      [fn, sn] = skipRightEdge(fn, sn);
    } else {
      hashed = nodeHash(hashed, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equal(hashed, claim.root);
}

/** RFC 9162 §2.1.4.2: whether the tree of `newSize` leaves only added leaves to the tree of `oldSize`. */
export function verifyConsistency(claim: {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly newSize: number;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}): boolean {
  const { oldSize, newSize } = claim;
  if (!Number.isSafeInteger(oldSize) || !Number.isSafeInteger(newSize) || oldSize < 1 || newSize < oldSize)
    return false;
  if (oldSize === newSize) return claim.proof.length === 0 && equal(claim.oldRoot, claim.newRoot);
  // A perfect old tree is itself the first node, which the proof then leaves out.
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [claim.oldRoot, ...claim.proof] : claim.proof;
  if (first === undefined) return false;
  let fn = oldSize - 1;
  let sn = newSize - 1;
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
  let oldHash = first;
  let newHash = first;
  for (const node of rest) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      oldHash = nodeHash(node, oldHash);
      newHash = nodeHash(node, newHash);
      [fn, sn] = skipRightEdge(fn, sn);
    } else {
      newHash = nodeHash(newHash, node);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equal(oldHash, claim.oldRoot) && equal(newHash, claim.newRoot);
}

function isPowerOfTwo(value: number): boolean {
  let odd = value;
  while (odd > 1 && !isOdd(odd)) odd = half(odd);
  return odd === 1;
}
