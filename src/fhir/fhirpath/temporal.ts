/**
 * FHIR's partial dates and times as intervals of the UTC time line
 * (http://hl7.org/fhir/R4/datatypes.html#dateTime). A time without a zone, and a date, count as UTC.
 */

export type TemporalPrecision = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond';

/** What a date or time covers: epoch milliseconds, half-open `[low, high)`. */
export interface Temporal {
  readonly low: number;
  readonly high: number;
  readonly precision: TemporalPrecision;
}

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
export const DAY = 86_400_000;

const DASH = 45;
const DOT = 46;
const ZERO = 48;
const COLON = 58;
const PLUS = 43;
const LETTER_T = 84;
const LETTER_Z = 90;

/**
 * Parses `2024`, `2024-05`, `2024-05-17`, `2024-05-17T10:30:00.000+08:00`, also without seconds, minutes or zone.
 * Digits after the third of a fraction are dropped. Undefined for anything else, such as 2023-02-29.
 */
export function parseTemporal(text: string): Temporal | undefined {
  const { length } = text;
  const year = digits(text, 0, 4);
  if (year < 1) return undefined;
  if (length === 4) return { low: startOf(year, 1, 1), high: startOf(year + 1, 1, 1), precision: 'year' };
  const month = text.charCodeAt(4) === DASH ? digits(text, 5, 2) : -1;
  if (month < 1 || month > 12) return undefined;
  if (length === 7) return { low: startOf(year, month, 1), high: startOf(year, month + 1, 1), precision: 'month' };
  const day = text.charCodeAt(7) === DASH ? digits(text, 8, 2) : -1;
  if (day < 1 || (day > 28 && day > daysInMonth(year, month))) return undefined;
  const low = startOf(year, month, day);
  if (length === 10) return { low, high: low + DAY, precision: 'day' };
  return text.charCodeAt(10) === LETTER_T ? parseClock(text, 11, low) : undefined;
}

const FIRST = startOf(1, 1, 1);
const LAST = startOf(10_000, 1, 1) - 1;

/**
 * An instant as RFC 3339 in UTC, with its milliseconds. What lies outside the years 1 to 9999, by its zone or as the end of
 * the last year, is their edge: neither R4 nor PostgreSQL has a text for it.
 */
export function utcText(instant: number): string {
  return new Date(Math.min(Math.max(instant, FIRST), LAST)).toISOString();
}

/** Parses a time of day such as `10:30:00`, as milliseconds since midnight. */
export function parseTime(text: string): Temporal | undefined {
  return parseClock(text, 0, 0);
}

/** Day number (days since 1970-01-01) of the first instant of a civil date; `month` may be 13. */
export function dayNumber(year: number, month: number, day: number): number {
  // Years start in March here, so that the leap day is the last one (Hinnant, "chrono-compatible date algorithms").
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Epoch milliseconds of the start of a civil date; `month` may be 13. */
function startOf(year: number, month: number, day: number): number {
  return (month === 13 ? dayNumber(year + 1, 1, day) : dayNumber(year, month, day)) * DAY;
}

/** The value of `count` digits, or -1. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i += 1) {
    const digit = text.charCodeAt(i) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** The clock part and the zone, from `at` to the end of `text`, added to `midnight`. */
function parseClock(text: string, at: number, midnight: number): Temporal | undefined {
  const hour = digits(text, at, 2);
  if (hour < 0 || hour > 23) return undefined;
  const low = midnight + hour * HOUR;
  if (text.charCodeAt(at + 2) !== COLON) return withZone(text, at + 2, low, HOUR, 'hour');
  const minute = digits(text, at + 3, 2);
  if (minute < 0 || minute > 59) return undefined;
  if (text.charCodeAt(at + 5) !== COLON) return withZone(text, at + 5, low + minute * MINUTE, MINUTE, 'minute');
  const second = digits(text, at + 6, 2);
  // 60 is a leap second; it counts as the second that follows it.
  if (second < 0 || second > 60) return undefined;
  return parseFraction(text, at + 8, low + minute * MINUTE + second * SECOND);
}

function parseFraction(text: string, at: number, low: number): Temporal | undefined {
  if (text.charCodeAt(at) !== DOT) return withZone(text, at, low, SECOND, 'second');
  let unit = SECOND;
  let milliseconds = 0;
  let end = at + 1;
  for (let digit = digits(text, end, 1); digit >= 0; digit = digits(text, end, 1)) {
    if (unit > 1) {
      unit /= 10;
      milliseconds += digit * unit;
    }
    end += 1;
  }
  return end === at + 1 ? undefined : withZone(text, end, low + milliseconds, unit, 'millisecond');
}

function withZone(
  text: string,
  at: number,
  local: number,
  width: number,
  precision: TemporalPrecision,
): Temporal | undefined {
  const offset = zoneOffset(text, at);
  if (offset === undefined) return undefined;
  return { low: local - offset, high: local - offset + width, precision };
}

/** Milliseconds east of UTC of what `text` has from `at` on: nothing, `Z` or `+hh:mm`. Undefined when malformed. */
function zoneOffset(text: string, at: number): number | undefined {
  if (at === text.length) return 0;
  const sign = text.charCodeAt(at);
  if (sign === LETTER_Z) return at + 1 === text.length ? 0 : undefined;
  if ((sign !== PLUS && sign !== DASH) || text.length !== at + 6 || text.charCodeAt(at + 3) !== COLON) return undefined;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59) return undefined;
  return (sign === PLUS ? 1 : -1) * (hours * HOUR + minutes * MINUTE);
}
