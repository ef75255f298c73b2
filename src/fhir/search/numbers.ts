/** A number and what its written form leaves open: half a unit of its last digit either way. */
export interface NumberRange {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * Reads a decimal with its implicit precision (http://hl7.org/fhir/R4/search.html#number): `100` is [99.5, 100.5),
 * `100.00` is [99.995, 100.005). R4 reads `1e2` as [95, 105): an exponential form counts one more digit than is
 * written. Undefined when `text` is no finite number.
 */
export function numberRange(text: string): NumberRange | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent] = match;
  // Whole numbers until the last division, so that 5.4 - 0.05 is 5.35 and not 5.3500000000000005.
  const digits = Number(whole + fraction) * (sign === '-' ? -1 : 1);
  const place = (exponent === undefined ? 0 : Number(exponent)) - fraction.length;
  const parts = exponent === undefined ? 2 : 20;
  const [low, high] = [scaled(digits * parts - 1, place, parts), scaled(digits * parts + 1, place, parts)];
  return Number.isFinite(low) && Number.isFinite(high) ? { value: Number(text), low, high } : undefined;
}

/** `value` times ten to the power of `place`, divided by `divisor`; powers up to 22 are exact in a double. */
function scaled(value: number, place: number, divisor: number): number {
  return place < 0 ? value / (10 ** -place * divisor) : (value * 10 ** place) / divisor;
}
