import { LRUCache } from 'lru-cache';

/** Values of bytes that are dear to make, by number. */
export interface OpenedCache<Value extends object> {
  get(id: bigint): Value | undefined;
  /** Kept from the second time on. */
  offer(id: bigint, value: Value, bytes: number): void;
}

/** Each remembers one id; a power of two. */
const SLOT_BITS = 14;

/**
 * A bounded cache of what is asked for again. What is asked for once would only push that out, and whatever is kept for a
 * while is carried from one garbage collection to the next, which costs a cold read more than opening it.
 *
 * @param maxBytes of all values; 0 for no cache
 */
export function createOpenedCache<Value extends object>(maxBytes: number): OpenedCache<Value> {
  if (maxBytes === 0) return { get: () => undefined, offer: () => undefined };
  const kept = new LRUCache<bigint, Value>({ maxSize: maxBytes });
  // The id that was offered last of those with the same lowest bits.
  const offered = new BigInt64Array(2 ** SLOT_BITS);
  return {
    get: (id) => kept.get(id),
    offer(id, value, bytes) {
      const slot = Number(BigInt.asUintN(SLOT_BITS, id));
      if (offered[slot] === id) kept.set(id, value, { size: bytes });
      offered[slot] = id;
    },
  };
}
