import { decimalOf, isDecimal } from '../json/decimals.ts';
import { type Collection, type Node, numberOf } from './node.ts';
import { parseTemporal, parseTime, type Temporal } from './temporal.ts';
import { systemTypeOf } from './types.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * `=` on two collections: undefined (empty) when either is empty, or when dates of different precision, or quantities
 * of different units, leave it open. https://hl7.org/fhirpath/N1/#equality
 */
export function equal(left: Collection, right: Collection): boolean | undefined {
  if (left.length === 0 || right.length === 0) return undefined;
  if (left.length !== right.length) return false;
  let result: boolean | undefined = true;
  for (let i = 0; i < left.length; i += 1) {
    const pair = equalNodes(left[i], right[i]);
    if (pair === false) return false;
    if (pair === undefined) result = undefined;
  }
  return result;
}

function equalNodes(left: Node | undefined, right: Node | undefined): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  const types = [systemTypeOf(left.type), systemTypeOf(right.type)];
  if (types[0] === undefined || types[1] === undefined) return keyOf(left) === keyOf(right);
  // A primitive of which only extensions are known has no value to compare.
  if (left.value === undefined || right.value === undefined) return undefined;
  if (types.includes('Quantity')) return compareQuantities(left, right, (order) => order === 0);
  const times = [temporalOf(left), temporalOf(right)];
  if (times[0] !== undefined && times[1] !== undefined) {
    const order = compareTemporals(times[0], times[1]);
    return order === undefined ? undefined : order === 0;
  }
  const numbers = [numberOf(left), numberOf(right)];
  if (numbers[0] !== undefined && numbers[1] !== undefined) return numbers[0] === numbers[1];
  return left.value === right.value;
}

/**
 * Whether `<`, `>`, ... is decided by `accept`, which is given the sign of left minus right. Undefined when it is
 * open; null when the two cannot be compared at all. https://hl7.org/fhirpath/N1/#comparison
 */
export function compare(left: Node, right: Node, accept: (order: number) => boolean): boolean | undefined | null {
  if (left.value === undefined || right.value === undefined) return undefined;
  if (systemTypeOf(left.type) === 'Quantity' || systemTypeOf(right.type) === 'Quantity') {
    return compareQuantities(left, right, accept);
  }
  const times = [temporalOf(left), temporalOf(right)];
  if (times[0] !== undefined && times[1] !== undefined) {
    const order = compareTemporals(times[0], times[1]);
    return order === undefined ? undefined : accept(order);
  }
  const numbers = [numberOf(left), numberOf(right)];
  if (numbers[0] !== undefined && numbers[1] !== undefined) return accept(Math.sign(numbers[0] - numbers[1]));
  if (typeof left.value !== 'string' || typeof right.value !== 'string') return null;
  if (left.value === right.value) return accept(0);
  return accept(left.value < right.value ? -1 : 1);
}

/** The interval of a date, dateTime or time item; undefined for items of other types. */
function temporalOf({ type, value }: Node): Temporal | undefined {
  const system = systemTypeOf(type);
  if (typeof value !== 'string') return undefined;
  if (system === 'Time') return parseTime(value);
  return system === 'Date' || system === 'DateTime' ? parseTemporal(value) : undefined;
}

/** Seconds with and without a fraction count as one precision. */
function isInstant({ precision }: Temporal): boolean {
  return precision === 'second' || precision === 'millisecond';
}

function compareTemporals(left: Temporal, right: Temporal): number | undefined {
  if (left.precision === right.precision || (isInstant(left) && isInstant(right)))
    return Math.sign(left.low - right.low);
  if (left.high <= right.low) return -1;
  return right.high <= left.low ? 1 : undefined;
}

/** A quantity's value and unit; `1` is the unit of a bare number. */
export function quantityOf(item: Node): { readonly value: number; readonly unit: string } | undefined {
  const number = numberOf(item);
  if (number !== undefined) return { value: number, unit: '1' };
  if (typeof item.value !== 'object' || item.value === null) return undefined;
  const { value, code, unit } = item.value as { value?: unknown; code?: unknown; unit?: unknown };
  const amount = decimalOf(value);
  const name = code ?? unit ?? '1';
  return amount === undefined || typeof name !== 'string' ? undefined : { value: amount, unit: name };
}

function compareQuantities(left: Node, right: Node, accept: (order: number) => boolean): boolean | undefined {
  const [a, b] = [quantityOf(left), quantityOf(right)];
  if (a === undefined || b === undefined || a.unit !== b.unit) return undefined;
  return accept(Math.sign(a.value - b.value));
}

/**
 * `~` on two collections, always decided: order does not matter, text is compared without case and extra white space,
 * decimals at the lesser precision. https://hl7.org/fhirpath/N1/#equivalence
 */
export function equivalent(left: Collection, right: Collection): boolean {
  if (left.length !== right.length) return false;
  const rest = [...right];
  return left.every((item) => {
    const at = rest.findIndex((other) => equivalentNodes(item, other));
    if (at < 0) return false;
    rest.splice(at, 1);
    return true;
  });
}

function equivalentNodes(left: Node, right: Node): boolean {
  if (typeof left.value === 'string' && typeof right.value === 'string' && temporalOf(left) === undefined) {
    return looseText(left.value) === looseText(right.value);
  }
  const numbers = [numberOf(left), numberOf(right)];
  if (numbers[0] !== undefined && numbers[1] !== undefined) {
    const places = Math.min(decimalPlaces(numbers[0]), decimalPlaces(numbers[1]));
    return numbers[0].toFixed(places) === numbers[1].toFixed(places);
  }
  return equalNodes(left, right) === true;
}

function looseText(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase();
}

function decimalPlaces(value: number): number {
  return String(value).split('.')[1]?.length ?? 0;
}

/**
 * A text that two items share when they are equal, for duplicates and set operations in linear time. Dates of
 * different precision differ here, since whether they are equal is open.
 */
export function keyOf(item: Node): string {
  const time = temporalOf(item);
  if (time !== undefined) return isInstant(time) ? `t:${time.low}` : `t:${time.low}:${time.precision}`;
  return canonicalText(item.value);
}

/** JSON with sorted keys, and decimals by value. */
function canonicalText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  const decimal = decimalOf(value);
  if (decimal !== undefined) return String(decimal);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${canonicalText(member)}`);
  return `{${members.sort().join()}}`;
}

/** Up to this many items, comparing each pair costs less than making keys. */
const FEW = 8;

/** The items without those that are equal to an earlier one. */
export function distinct(items: Collection): Collection {
  if (items.length < 2) return items;
  if (items.length <= FEW) {
    return items.filter((item, i) => !items.some((earlier, j) => j < i && haveSameKey(earlier, item)));
  }
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    const first = !seen.has(key);
    seen.add(key);
    return first;
  });
}

/** Whether `keyOf` is the same for both, without making the keys. */
function haveSameKey(left: Node, right: Node): boolean {
  if (left.value === right.value && left.type === right.type) return true;
  if (isComplex(left.value) && isComplex(right.value)) return sameContent(left.value, right.value);
  return keyOf(left) === keyOf(right);
}

function isComplex(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isDecimal(value);
}

function sameContent(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (!isComplex(left) || !isComplex(right)) return canonicalText(left) === canonicalText(right);
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  const [a, b] = [left as JsonObject, right as JsonObject];
  return names.every((name) => Object.hasOwn(b, name) && sameContent(a[name], b[name]));
}
