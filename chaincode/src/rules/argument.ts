import { canonicalJson, type Json } from './canonical.ts';
import { ContractRefusal } from './refusal.ts';

/** Returns the value as its type, or refuses with `invalid-argument`. */
export type Check<T> = (value: Json | undefined, field: string) => T;

function refuse(field: string, expected: string): never {
  throw new ContractRefusal('invalid-argument', `${field} is not ${expected}`);
}

function pattern(expression: RegExp, expected: string): Check<string> {
  return (value, field) => (typeof value === 'string' && expression.test(value) ? value : refuse(field, expected));
}

/** 32 bytes in lower-case hexadecimal: an opaque key, a commitment, a hash. */
export const bytes32 = pattern(/^[0-9a-f]{64}$/, '32 bytes in lower-case hexadecimal');
/** An institution's name, as in `/{institution}/fhir`. */
export const institutionName = pattern(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'an institution name');
/** A Fabric membership service provider: one organisation of the channel. */
export const mspId = pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'an MSP id');
/**
 * CIDv1 in base32, codec raw or dag-cbor, sha2-256 (36 bytes, so the last character has two bits that must be zero).
 * https://github.com/multiformats/cid#cidv1
 */
export const cid = pattern(/^baf(?:kr|yr)ei[a-h][a-z2-7]{50}[aeimquy4]$/, 'a CIDv1 of raw or dag-cbor with sha2-256');

export const integer =
  (from: number): Check<number> =>
  (value, field) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= from
      ? value
      : refuse(field, `a whole number of at least ${from}`);

export function oneOf<const T extends string>(...values: readonly T[]): Check<T> {
  return (value, field) => values.find((known) => known === value) ?? refuse(field, `one of ${values.join(', ')}`);
}

/** An instant in the one form that `Date.prototype.toISOString` writes. */
export const instant: Check<string> = (value, field) => {
  const milliseconds = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== value) refuse(field, 'a UTC instant');
  return new Date(milliseconds).toISOString();
};

/** What a field that stands for "none" holds: null, since a canonical form has every field. */
export const nullable =
  <T>(check: Check<T>): Check<T | null> =>
  (value, field) =>
    value === null ? null : check(value, field);

export const list =
  <T>(check: Check<T>, most: number): Check<readonly T[]> =>
  (value, field) =>
    Array.isArray(value) && value.length <= most
      ? value.map((item, index) => check(item, `${field}[${index}]`))
      : refuse(field, `a list of at most ${most}`);

/** As `list`, not empty, sorted and without repetition, so that a set has one form. */
export const set =
  (check: Check<string>, most: number): Check<readonly string[]> =>
  (value, field) => {
    const items = list(check, most)(value, field);
    const ascending = items.every((item, index) => index === 0 || (items[index - 1] ?? '') < item);
    return items.length > 0 && ascending ? items : refuse(field, 'a sorted list without repetition');
  };

/** An object with exactly the fields of `shape`. */
export const object =
  <T>(shape: { readonly [K in keyof T]: Check<T[K]> }): Check<T> =>
  (value, field) => {
    if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value)) {
      return refuse(field, 'an object');
    }
    const given = new Map<string, Json>(Object.entries(value));
    const read: Partial<T> = {};
    for (const name in shape) {
      read[name] = shape[name](given.get(name), name);
      given.delete(name);
    }
    if (given.size > 0) refuse(field, `limited to ${Object.keys(shape).join(', ')}`);
    return read as T;
  };

/**
 * Reads an argument: one JSON object in canonical form with exactly the fields of `shape`.
 *
 * @throws ContractRefusal `invalid-argument`, naming the field
 */
export function readArgument<T>(text: string, shape: { readonly [K in keyof T]: Check<T[K]> }): T {
  let parsed: Json;
  try {
    parsed = JSON.parse(text);
  } catch {
    return refuse('the argument', 'JSON');
  }
  const read = object(shape)(parsed, 'the argument');
  if (canonicalJson(parsed) !== text) refuse('the argument', 'canonical JSON');
  return read;
}

/** Reads an argument that is a bare string. */
export function readText<T>(text: string, field: string, check: Check<T>): T {
  return check(text, field);
}

/** Reads an argument that is a number in decimal digits. */
export function readNumber(text: string, field: string, from: number, to = Number.MAX_SAFE_INTEGER): number {
  const value = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? value : refuse(field, `a number from ${from} to ${to}`);
}
