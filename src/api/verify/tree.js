// RFC 9162: leaves and inclusion.
import { concat, equal, sha256, utf8 } from './bytes.js';

/** §2.1.1 */
export const leafHashOf = (bytes) => sha256(concat(Uint8Array.of(0), bytes));
export const leafHash = (leaf) => leafHashOf(utf8(leaf));
const nodeHash = (left, right) => sha256(concat(Uint8Array.of(1), left, right));

/** §2.1.3.2: whether the leaf is number `index` of the tree of `size` leaves with that root. */
export async function isIncluded({ index, size, leaf, root, proof }) {
  if (index >= size) return false;
  let [fn, sn, hash] = [index, size - 1, leaf];
  for (const node of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = await nodeHash(node, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else hash = await nodeHash(hash, node);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equal(hash, root);
}
