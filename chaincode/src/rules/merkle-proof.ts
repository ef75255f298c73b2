import { nodeHash } from './merkle.ts';

/**
 * Which nodes a proof needs, and the proof made from them: RFC 9162 §2.1.3.1 and §2.1.4.1 without recursion over
 * leaves. Planning is apart from reading, so that whoever stores the nodes can fetch them all at once.
 */

/** The root of the perfect subtree over the leaves [index · 2^level, (index + 1) · 2^level). */
export interface NodeId {
  readonly level: number;
  readonly index: number;
}

/** One hash of a proof: the perfect subtrees of its range of leaves, from left to right. */
export type RangePlan = readonly NodeId[];

/** The perfect subtrees that make up the first `size` leaves: their right-to-left hash is the root. */
export function planRoot(size: number): RangePlan {
  return perfectSubtrees(0, size);
}

/** RFC 9162 §2.1.3.1, PATH(index, D[size]). `index` must be less than `size`. */
export function planInclusion(index: number, size: number): readonly RangePlan[] {
  const outermostFirst: RangePlan[] = [];
  let [begin, end] = [0, size];
  while (end - begin > 1) {
    const middle = begin + split(end - begin);
    if (index < middle) {
      outermostFirst.push(perfectSubtrees(middle, end));
      end = middle;
    } else {
      outermostFirst.push(perfectSubtrees(begin, middle));
      begin = middle;
    }
  }
  return outermostFirst.reverse();
}

/** RFC 9162 §2.1.4.1, PROOF(oldSize, D[newSize]). `oldSize` must be between 1 and `newSize`. */
export function planConsistency(oldSize: number, newSize: number): readonly RangePlan[] {
  const outermostFirst: RangePlan[] = [];
  let [begin, end] = [0, newSize];
  while (oldSize < end) {
    const middle = begin + split(end - begin);
    if (oldSize <= middle) {
      outermostFirst.push(perfectSubtrees(middle, end));
      end = middle;
    } else {
      outermostFirst.push(perfectSubtrees(begin, middle));
      begin = middle;
    }
  }
  // The old tree's own root is known to the verifier when it is a subtree of the new one.
  if (begin > 0) outermostFirst.push(perfectSubtrees(begin, end));
  return outermostFirst.reverse();
}

/** Makes the hashes of a plan out of the nodes' hashes. */
export function assemble(plan: readonly RangePlan[], hashOf: (node: NodeId) => Uint8Array): Uint8Array[] {
  return plan.map((range) => foldRange(range.map(hashOf)));
}

/** The hash over adjacent perfect subtrees of falling size. */
export function foldRange(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

function perfectSubtrees(begin: number, end: number): RangePlan {
  const nodes: NodeId[] = [];
  for (let from = begin; from < end; ) {
    const level = floorLog2(end - from);
    const width = 2 ** level;
    nodes.push({ level, index: from / width });
    from += width;
  }
  return nodes;
}

/** The largest power of two below `size`. */
function split(size: number): number {
  return 2 ** floorLog2(size - 1);
}

/** Exact for every safe integer, which Math.log2 is not. */
function floorLog2(value: number): number {
  return value.toString(2).length - 1;
}
