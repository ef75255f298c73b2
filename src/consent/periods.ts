import type { Interval } from './policy.ts';

/**
 * Dates of a Consent. Where no time zone is written it is UTC, as everywhere in search, so that both locks and a replay
 * years later agree.
 */
const DATE = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?$/;

/** A `date` as the whole UTC days it spans, half-open; undefined when a time is given or it is no date. */
export function calendarDays(text: string): Interval | undefined {
  const found = DATE.exec(text);
  if (found === null) return undefined;
  const year = Number(found[1]);
  const month = found[2] === undefined ? undefined : Number(found[2]) - 1;
  const day = found[3] === undefined ? undefined : Number(found[3]);
  const from = utc(year, month ?? 0, day ?? 1);
  const until =
    day !== undefined
      ? utc(year, month ?? 0, day + 1)
      : month !== undefined
        ? utc(year, month + 1, 1)
        : utc(year + 1, 0, 1);
  return { from, until };
}

/** A `dateTime` as the instants it spans: a year, a month, a day, or a second. */
export function instantRange(text: string): Interval | undefined {
  const days = calendarDays(text);
  if (days !== undefined) return days;
  const instant = Date.parse(text);
  if (Number.isNaN(instant)) return undefined;
  return { from: instant, until: instant + (text.includes('.') ? 1 : 1000) };
}

function utc(year: number, month: number, day: number): number {
  // Date.UTC reads years below 100 as 19xx.
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date.getTime();
}
