/**
 * A hierarchy of cells over the UTC calendar: decade, year, month, day. Each instant lies in one cell of every level,
 * and all days up to (or from) a day are covered by a few cells. So "on or before that day" becomes the question
 * whether two small sets of names meet, which an index that knows nothing but equality can answer.
 */
import { DAY, dayNumber, daysInMonth } from '../fhirpath/temporal.ts';

const FIRST_YEAR = 1800;
const LAST_YEAR = 2199;
const FIRST_DAY = dayNumber(FIRST_YEAR, 1, 1);
const LAST_DAY = dayNumber(LAST_YEAR, 12, 31);

interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/**
 * The cells of the UTC day that holds an instant (epoch milliseconds, infinite for an open end), coarsest first:
 * `202`, `2024`, `2024-05`, `2024-05-17`. What is outside of 1800 to 2199 counts as the first or last day of that.
 */
export function calendarCells(instant: number): readonly string[] {
  const { year, month, day } = civilOf(dayOf(instant));
  return [decadeCell(year), yearCell(year), monthCell(year, month), dayCell(year, month, day)];
}

/**
 * The fewest cells that cover every day up to and including that of `instant`: another instant's cells meet them if
 * and only if its day is not later. At most 89.
 */
export function coverUpTo(instant: number): readonly string[] {
  const last = dayOf(instant);
  if (last === LAST_DAY) return decades(FIRST_YEAR, LAST_YEAR + 1);
  const { year, month, day } = civilOf(last + 1);
  const decade = year - (year % 10);
  return [
    ...decades(FIRST_YEAR, decade),
    ...years(decade, year),
    ...months(year, 1, month),
    ...days(year, month, 1, day),
  ];
}

/** The fewest cells that cover the day of `instant` and every later one. */
export function coverFrom(instant: number): readonly string[] {
  const { year, month, day } = civilOf(dayOf(instant));
  // Each level begins where the one below it is full.
  const firstMonth = day === 1 ? month : month + 1;
  const firstYear = firstMonth === 1 ? year : year + 1;
  const firstDecade = firstYear % 10 === 0 ? firstYear : firstYear - (firstYear % 10) + 10;
  return [
    ...(firstMonth === month ? [] : days(year, month, day, daysInMonth(year, month) + 1)),
    ...(firstYear === year ? [] : months(year, firstMonth, 13)),
    ...years(firstYear, firstDecade),
    ...decades(firstDecade, LAST_YEAR + 1),
  ];
}

/**
 * Whether what the cells tell of these days is the whole truth: on the first and the last day everything beyond them
 * counts too.
 */
export function isWithinCalendar(low: number, high: number): boolean {
  return Math.floor(low / DAY) > FIRST_DAY && Math.floor((high - 1) / DAY) < LAST_DAY;
}

/** Day number within the calendar's bounds. */
function dayOf(instant: number): number {
  return Math.min(LAST_DAY, Math.max(FIRST_DAY, Math.floor(instant / DAY)));
}

function civilOf(dayNumber: number): Civil {
  const date = new Date(dayNumber * DAY);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

const twoDigits = (value: number) => String(value).padStart(2, '0');
const decadeCell = (year: number) => String(Math.floor(year / 10));
const yearCell = (year: number) => String(year);
const monthCell = (year: number, month: number) => `${year}-${twoDigits(month)}`;
const dayCell = (year: number, month: number, day: number) => `${monthCell(year, month)}-${twoDigits(day)}`;

/** `cell(i)` for each i from `first` on, below `end`. */
function cells(first: number, end: number, cell: (i: number) => string): string[] {
  return Array.from({ length: Math.max(0, end - first) }, (_, i) => cell(first + i));
}

function decades(firstYear: number, endYear: number): string[] {
  return cells(firstYear / 10, endYear / 10, String);
}

function years(first: number, end: number): string[] {
  return cells(first, end, yearCell);
}

function months(year: number, first: number, end: number): string[] {
  return cells(first, end, (month) => monthCell(year, month));
}

function days(year: number, month: number, first: number, end: number): string[] {
  return cells(first, end, (day) => dayCell(year, month, day));
}
