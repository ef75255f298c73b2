import { parseTemporal } from '../fhirpath/temporal.ts';
import type { DateOperand, Prefix } from './query/ast.ts';

const PREFIXED = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(\d.*)$/;

/**
 * Parses the value of a date parameter: a prefix, `eq` when there is none, and a date or time of any precision from the
 * year to the millisecond, where an hour needs minutes (http://hl7.org/fhir/R4/search.html#date). Undefined when
 * malformed.
 */
export function parseSearchDate(text: string): DateOperand | undefined {
  const match = PREFIXED.exec(text);
  if (match === null) return undefined;
  const [, prefix = 'eq', date = ''] = match;
  // A plus sign that was not percent-encoded in the URL arrives as a space.
  const temporal = parseTemporal(date.replace(/ (?=\d\d:\d\d$)/, '+'));
  if (temporal === undefined || temporal.precision === 'hour') return undefined;
  return { kind: 'date', prefix: prefix as Prefix, ...temporal };
}

/**
 * What `ap` accepts: the given range, widened by a tenth of its distance from `now` as R4 recommends.
 */
export function approximateRange(range: { readonly low: number; readonly high: number }, now: number) {
  const gap = Math.max(0, range.low - now, now - range.high) / 10;
  return { low: range.low - gap, high: range.high + gap };
}
