/** A map that forgets: each entry at its time, and the one unused for longest when there are too many. */
export interface ExpiringCache<V> {
  /** The value kept under `key` that has not expired at `now`, epoch milliseconds. */
  get(key: string, now: number): V | undefined;
  set(key: string, value: V, expiresAt: number): void;
  delete(key: string): void;
  clear(): void;
  readonly size: number;
}

/** @param capacity how many entries are kept at most */
export function createExpiringCache<V>(capacity: number): ExpiringCache<V> {
  // A Map iterates in the order of insertion; what is used is inserted again, so its first key is the stalest.
  const entries = new Map<string, { readonly value: V; readonly expiresAt: number }>();
  return {
    get: (key, now) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (entry.expiresAt <= now) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    set: (key, value, expiresAt) => {
      entries.delete(key);
      entries.set(key, { value, expiresAt });
      const stalest = entries.size > capacity ? entries.keys().next().value : undefined;
      if (stalest !== undefined) entries.delete(stalest);
    },
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
    get size() {
      return entries.size;
    },
  };
}
