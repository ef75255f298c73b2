import type { Period } from '@medplum/fhirtypes';
import { parseTemporal } from '../fhir/fhirpath/temporal.ts';
import { isWithinCalendar } from '../fhir/search/calendar.ts';
import { ALWAYS, type Interval } from './policy.ts';
import { refuse } from './refusal.ts';

/** FHIR's years have four digits: the end of 9999 is the end of time. Epoch milliseconds. */
export const END_OF_YEARS = Date.UTC(10_000, 0, 1);

/**
 * Periods of a Consent, ends included as R4 has it (http://hl7.org/fhir/R4/datatypes.html#Period). Where no time zone is
 * written it is UTC, as everywhere in search, so that both locks and a replay years later agree.
 */

/** When a provision holds. @throws MedSealError `unenforceable-consent` */
export function parsePeriod(period: Period, expression: string): Interval {
  return interval(period, expression, (text) => parseTemporal(text));
}

/** Which days a record may be about. @throws MedSealError `unenforceable-consent` */
export function parseDays(period: Period, expression: string): Interval {
  return interval(period, expression, (text, at) => {
    const found = parseTemporal(text);
    const { precision } = found ?? {};
    if (precision !== undefined && precision !== 'year' && precision !== 'month' && precision !== 'day') {
      throw refuse(at, 'is enforced by calendar days: give a date (YYYY, YYYY-MM or YYYY-MM-DD), not a time');
    }
    if (found !== undefined && !isWithinCalendar(found.low, found.high)) {
      throw refuse(at, 'lies outside of the years that are told apart (1800 to 2199): leave it out for an open end');
    }
    return found;
  });
}

function interval(
  period: Period,
  expression: string,
  parse: (text: string, expression: string) => { readonly low: number; readonly high: number } | undefined,
): Interval {
  const bound = (name: 'start' | 'end') => {
    const text = period[name];
    // An end that is there only to say why it has no value is no open end.
    if (text === undefined && !(`_${name}` in period)) return undefined;
    const found = text === undefined ? undefined : parse(text, `${expression}.${name}`);
    if (found === undefined) throw refuse(`${expression}.${name}`, 'is not a dateTime');
    return found;
  };
  const [start, end] = [bound('start'), bound('end')];
  if (start === undefined && end === undefined) throw refuse(expression, 'has neither a start nor an end');
  const from = start?.low ?? Number.NEGATIVE_INFINITY;
  const until = end?.high ?? Number.POSITIVE_INFINITY;
  if (from >= until) throw refuse(expression, 'ends before it begins');
  return { from, until };
}

/** The period of a role or a membership; undefined when it cannot be understood: then it never holds. */
export function periodOf(period: Period | undefined): Interval | undefined {
  if (period === undefined) return ALWAYS;
  const [start, end] = [period.start, period.end].map((text) => (text === undefined ? null : parseTemporal(text)));
  if (start === undefined || end === undefined) return undefined;
  return { from: start?.low ?? ALWAYS.from, until: end?.high ?? ALWAYS.until };
}
