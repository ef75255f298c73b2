import { parseTemporal } from '../../fhirpath/temporal.ts';
import type { DateValue, SearchValue } from '../values.ts';
import { arrayOf, objectOf } from './json.ts';

/** Date search by datatype: http://hl7.org/fhir/R4/search.html#date */

/** date, dateTime, instant: all that the written precision covers. */
export function dateOfTemporal(value: unknown, out: SearchValue[]): void {
  const temporal = typeof value === 'string' ? parseTemporal(value) : undefined;
  if (temporal !== undefined) out.push({ kind: 'date', low: temporal.low, high: temporal.high });
}

/** From the beginning of `start` to the end of `end`; open where one is missing. */
export function dateOfPeriod(value: unknown, out: SearchValue[]): void {
  const range = periodRange(value);
  if (range !== undefined) out.push(range);
}

/**
 * "The specified scheduling details are ignored and only the outer limits matter": from the first to the last event or
 * bound. A schedule that says only how often tells no date.
 */
export function dateOfTiming(value: unknown, out: SearchValue[]): void {
  const timing = objectOf(value);
  const parts: SearchValue[] = [];
  for (const event of arrayOf(timing?.event)) dateOfTemporal(event, parts);
  const bounds = periodRange(objectOf(timing?.repeat)?.boundsPeriod);
  let [low, high] = [bounds?.low ?? Number.POSITIVE_INFINITY, bounds?.high ?? Number.NEGATIVE_INFINITY];
  for (const part of parts) {
    if (part.kind !== 'date') continue;
    low = Math.min(low, part.low);
    high = Math.max(high, part.high);
  }
  if (low < high) out.push({ kind: 'date', low, high });
}

function periodRange(value: unknown): DateValue | undefined {
  const period = objectOf(value);
  const start = typeof period?.start === 'string' ? parseTemporal(period.start) : undefined;
  const end = typeof period?.end === 'string' ? parseTemporal(period.end) : undefined;
  if (start === undefined && end === undefined) return undefined;
  return { kind: 'date', low: start?.low ?? Number.NEGATIVE_INFINITY, high: end?.high ?? Number.POSITIVE_INFINITY };
}
