import { DAY, daysInMonth, parseTemporal, type TemporalPrecision } from './temporal.ts';

/** Units of fixed length, in milliseconds, by UCUM code. */
const FIXED: ReadonlyMap<string, number> = new Map([
  ['wk', 7 * DAY],
  ['d', DAY],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
]);

/** For each precision: how much of `2024-05-17T10:30:00.000` is written, and its unit in milliseconds or months. */
const PRECISIONS: Readonly<Record<TemporalPrecision, { length: number; step: number; months?: number }>> = {
  year: { length: 4, step: 365 * DAY, months: 12 },
  month: { length: 7, step: 30 * DAY, months: 1 },
  day: { length: 10, step: DAY },
  hour: { length: 13, step: 3_600_000 },
  minute: { length: 16, step: 60_000 },
  second: { length: 19, step: 1_000 },
  millisecond: { length: 23, step: 1 },
};

/**
 * A date or dateTime moved by `amount` of a UCUM time unit, written with the precision and zone it had; a finer unit
 * is first cut to whole units of that precision. Undefined when `text` is no date, `unit` no unit of time, or the
 * result is not within the years 1 to 9999 (https://hl7.org/fhirpath/N1/#datetime-arithmetic).
 */
export function shiftTemporal(text: string, amount: number, unit: string): string | undefined {
  const parsed = parseTemporal(text);
  if (parsed === undefined) return undefined;
  const { length, step, months: monthStep } = PRECISIONS[parsed.precision];
  const zone = /T.*?(Z|[+-]\d\d:\d\d)$/.exec(text)?.[1] ?? '';
  const local = parsed.low + offsetOf(zone);
  const calendar = unit === 'a' ? amount * 12 : unit === 'mo' ? amount : undefined;
  const fixed = (FIXED.get(unit) ?? Number.NaN) * amount;
  const steps = Math.trunc(calendar === undefined ? fixed / step : calendar / (monthStep ?? 1));
  const inMonths = calendar !== undefined || monthStep !== undefined;
  const moved = inMonths ? addMonths(local, steps * (monthStep ?? 1)) : local + steps * step;
  const year = new Date(moved).getUTCFullYear();
  return year >= 1 && year <= 9999 ? new Date(moved).toISOString().slice(0, length) + zone : undefined;
}

function offsetOf(zone: string): number {
  return zone === '' || zone === 'Z' ? 0 : -(parseTemporal(`1970-01-01T00:00:00${zone}`)?.low ?? 0);
}

/** The day of the month is kept where the month has it, and is the month's last one otherwise. */
function addMonths(instant: number, months: number): number {
  const date = new Date(instant);
  const index = date.getUTCFullYear() * 12 + date.getUTCMonth() + months;
  const [year, month] = [Math.floor(index / 12), ((index % 12) + 12) % 12];
  return date.setUTCFullYear(year, month, Math.min(date.getUTCDate(), daysInMonth(year, month + 1)));
}
