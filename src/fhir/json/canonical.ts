import { MedSealError } from '../../errors.ts';

const MAX_DEPTH = 64;

/**
 * Canonical JSON (RFC 8785): one text for one value, whatever order it was built in. Object keys are sorted by UTF-16
 * code units; numbers and strings are written as ECMAScript writes them.
 *
 * @throws MedSealError `internal` for what has no canonical form: undefined, NaN and infinities, bigints, raw JSON,
 *   functions, instances of classes, lone surrogates, and more than 64 levels (a cycle)
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) refuse('too many levels');
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : refuse('not a finite number');
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return writeArray(value, depth);
  if (typeof value === 'object' && isPlain(value)) return writeObject(value, depth);
  return refuse('a value that JSON does not have');
}

function writeArray(items: readonly unknown[], depth: number): string {
  // Array.from, because map would leave the holes of a sparse array out.
  return `[${Array.from(items, (item) => write(item, depth + 1)).join(',')}]`;
}

function writeObject(value: object, depth: number): string {
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${writeString(key)}:${write(item, depth + 1)}`).join(',')}}`;
}

function writeString(text: string): string {
  return text.isWellFormed() ? JSON.stringify(text) : refuse('a lone surrogate');
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !JSON.isRawJSON(value) && !('toJSON' in value);
}

function refuse(what: string): never {
  throw new MedSealError('internal', `Canonical JSON cannot hold ${what}`);
}
