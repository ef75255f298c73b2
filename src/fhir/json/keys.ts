import { decodeUtf8, isText } from './utf8.ts';

/** Up to here a duplicate is looked for among an object's keys one by one, beyond in a Set. */
const COMPARED_ONE_BY_ONE = 32;

/** These would reach a prototype wherever an object is copied key by key. */
const FORBIDDEN_KEYS = ['__proto__', 'constructor', 'prototype'].map((key) => Buffer.from(key));

/** The unescaped text of a key or string that is written in `bytes` from `start` to `end`, without its quotes. */
export function stringText(bytes: Uint8Array, start: number, end: number): string {
  return JSON.parse(`"${decodeUtf8(bytes, start, end)}"`);
}

/** Whether a key is one that no object may have, however it is escaped. */
export function isForbiddenKey(bytes: Uint8Array, start: number, end: number, escaped: boolean): boolean {
  if (escaped) {
    const text = stringText(bytes, start, end);
    return FORBIDDEN_KEYS.some((key) => key.toString() === text);
  }
  const length = end - start;
  // Nearly every key ends here: this runs for each one.
  if (length !== 9 && length !== 11) return false;
  for (const key of FORBIDDEN_KEYS) {
    if (isText(bytes, start, end, key)) return true;
  }
  return false;
}

/** The keys of each object that is open, to find one that comes twice, however it is escaped. */
export class SeenKeys {
  readonly #bytes: Uint8Array;
  /** Of each key of each open object: a rough hash, and where it is written. In use up to #top. */
  readonly #hashes: number[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #top = 0;
  /** Where the innermost object's keys begin; its keys as a Set once they are many or one has escapes. */
  #base = 0;
  #set: Set<string> | undefined;
  readonly #outerBases: number[] = [];
  readonly #outerSets: (Set<string> | undefined)[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  openObject(): void {
    this.#outerBases.push(this.#base);
    this.#outerSets.push(this.#set);
    this.#base = this.#top;
    this.#set = undefined;
  }

  closeObject(): void {
    this.#top = this.#base;
    this.#base = this.#outerBases.pop() ?? 0;
    this.#set = this.#outerSets.pop();
  }

  /** Keys of the innermost object so far. */
  get count(): number {
    return this.#set?.size ?? this.#top - this.#base;
  }

  /** Adds a key to the innermost object; false when it is there already. */
  add(start: number, end: number, escaped: boolean): boolean {
    if (this.#set !== undefined) return this.#addToSet(this.#set, start, end);
    if (escaped || this.count >= COMPARED_ONE_BY_ONE) return this.#addToSet(this.#startSet(), start, end);
    const hash = this.#hash(start, end);
    for (let i = this.#base; i < this.#top; i++) {
      if (this.#hashes[i] === hash && this.#isKey(i, start, end)) return false;
    }
    this.#hashes[this.#top] = hash;
    this.#starts[this.#top] = start;
    this.#ends[this.#top] = end;
    this.#top++;
    return true;
  }

  /** Of the length and the first, middle and last byte: no loop, and equal hashes are compared anyway. */
  #hash(start: number, end: number): number {
    const first = this.#bytes[start] ?? 0;
    const middle = this.#bytes[(start + end) >> 1] ?? 0;
    const last = this.#bytes[end - 1] ?? 0;
    return ((end - start) << 21) ^ (first << 14) ^ (middle << 7) ^ last;
  }

  #isKey(known: number, start: number, end: number): boolean {
    const from = this.#starts[known] ?? 0;
    if ((this.#ends[known] ?? 0) - from !== end - start) return false;
    for (let i = 0; i < end - start; i++) {
      if (this.#bytes[from + i] !== this.#bytes[start + i]) return false;
    }
    return true;
  }

  #addToSet(set: Set<string>, start: number, end: number): boolean {
    const before = set.size;
    return set.add(stringText(this.#bytes, start, end)).size > before;
  }

  #startSet(): Set<string> {
    const set = new Set<string>();
    for (let i = this.#base; i < this.#top; i++) {
      set.add(stringText(this.#bytes, this.#starts[i] ?? 0, this.#ends[i] ?? 0));
    }
    this.#set = set;
    return set;
  }
}
