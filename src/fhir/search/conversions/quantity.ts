import { decimalOf, decimalText } from '../../json/decimals.ts';
import { type NumberRange, numberRange } from '../numbers.ts';
import type { QuantityValue, SearchValue } from '../values.ts';
import { type JsonObject, objectOf, textOf } from './json.ts';

/** Number and quantity search: http://hl7.org/fhir/R4/search.html#number, #quantity */

export function numberOfDecimal(value: unknown, out: SearchValue[]): void {
  const range = rangeOf(value);
  if (range !== undefined) out.push({ kind: 'number', ...range });
}

export function numberOfRange(value: unknown, out: SearchValue[]): void {
  const range = objectOf(value);
  const [low, high] = [rangeOf(objectOf(range?.low)?.value), rangeOf(objectOf(range?.high)?.value)];
  if (low === undefined && high === undefined) return;
  out.push({ kind: 'number', low: low?.low ?? Number.NEGATIVE_INFINITY, high: high?.high ?? Number.POSITIVE_INFINITY });
}

export function quantityOfQuantity(value: unknown, out: SearchValue[]): void {
  const quantity = objectOf(value);
  const range = rangeOf(quantity?.value);
  if (quantity === undefined || range === undefined) return;
  const comparator = textOf(quantity.comparator);
  out.push({ kind: 'quantity', value: range.value, ...compared(range, comparator), ...unitOf(quantity), comparator });
}

/** What `<5`, `>=5` and so on leave open. */
function compared({ value, low, high }: NumberRange, comparator: string | undefined): { low: number; high: number } {
  switch (comparator) {
    case '<':
      return { low: Number.NEGATIVE_INFINITY, high: value };
    case '<=':
      return { low: Number.NEGATIVE_INFINITY, high };
    case '>':
      return { low: value, high: Number.POSITIVE_INFINITY };
    case '>=':
      return { low, high: Number.POSITIVE_INFINITY };
    default:
      return { low, high };
  }
}

/** A currency is a code of ISO 4217 (http://hl7.org/fhir/R4/datatypes.html#Money). */
export function quantityOfMoney(value: unknown, out: SearchValue[]): void {
  const money = objectOf(value);
  const range = rangeOf(money?.value);
  if (money === undefined || range === undefined) return;
  out.push({ kind: 'quantity', ...range, system: 'urn:iso:std:iso:4217', code: textOf(money.currency) });
}

export function quantityOfRange(value: unknown, out: SearchValue[]): void {
  const range = objectOf(value);
  const [lowEnd, highEnd] = [objectOf(range?.low), objectOf(range?.high)];
  const [low, high] = [rangeOf(lowEnd?.value), rangeOf(highEnd?.value)];
  const unit = low === undefined ? highEnd : lowEnd;
  if (unit === undefined || (low === undefined && high === undefined)) return;
  out.push({
    kind: 'quantity',
    low: low?.low ?? Number.NEGATIVE_INFINITY,
    high: high?.high ?? Number.POSITIVE_INFINITY,
    ...unitOf(unit),
  });
}

/**
 * From the least to the greatest sample: `data` times `factor` plus `origin`. Samples beyond the sensor's limits (`L`,
 * `U`) count as those limits, errors (`E`) not at all.
 */
export function quantityOfSampledData(value: unknown, out: SearchValue[]): void {
  const sampled = objectOf(value);
  const origin = objectOf(sampled?.origin);
  const zero = decimalOf(origin?.value);
  if (sampled === undefined || origin === undefined || zero === undefined) return;
  const factor = decimalOf(sampled.factor) ?? 1;
  const limits = { L: decimalOf(sampled.lowerLimit), U: decimalOf(sampled.upperLimit) };
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const sample of textOf(sampled.data)?.split(' ') ?? []) {
    const raw = sample === 'L' || sample === 'U' ? limits[sample] : numberRange(sample)?.value;
    if (raw === undefined) continue;
    // Fifteen digits are exact in a double; what is beyond them is noise of the multiplication.
    const measured = Number((zero + raw * factor).toPrecision(15));
    low = Math.min(low, measured);
    high = Math.max(high, measured);
  }
  if (low <= high) out.push({ kind: 'quantity', low, high, ...unitOf(origin) });
}

function rangeOf(value: unknown): NumberRange | undefined {
  const text = decimalText(value);
  return text === undefined ? undefined : numberRange(text);
}

function unitOf(quantity: JsonObject): Pick<QuantityValue, 'system' | 'code' | 'unit'> {
  return { system: textOf(quantity.system), code: textOf(quantity.code), unit: textOf(quantity.unit) };
}
