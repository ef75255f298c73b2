import { utcText } from '../fhir/fhirpath/temporal.ts';
import { calendarCells, isWithinCalendar } from '../fhir/search/calendar.ts';
import type { DateOperand, Operand } from '../fhir/search/query.ts';
import { beginsFrom, beginsUpTo, endsFrom, endsUpTo, withinForm } from '../sealing/blind-index/forms.ts';
import type { Criterion } from './criteria.ts';
import type { ParameterIndex } from './search-index.ts';

const DAY = 86_400_000;

/** `_lastUpdated` is an instant, so each prefix is one range. */
export function changedAt(operands: readonly Operand[]): Criterion {
  const of = operands.flatMap((operand): readonly Criterion[] => {
    if (operand.kind !== 'date') return [];
    const low = utcText(operand.low);
    const high = utcText(operand.high);
    const range = (from: string | undefined, until: string | undefined): Criterion => ({
      kind: 'changed',
      from,
      until,
    });
    switch (operand.prefix) {
      case 'gt':
      case 'sa':
        return [range(high, undefined)];
      case 'lt':
      case 'eb':
        return [range(undefined, low)];
      case 'ge':
        return [range(low, undefined)];
      case 'le':
        return [range(undefined, high)];
      case 'ne':
        return [range(undefined, low), range(high, undefined)];
      default:
        return [range(low, high)];
    }
  });
  return { kind: 'any', of };
}

/** Days are exact; for times within a day the whole day is the superset. */
export function date(
  operand: DateOperand,
  { some, present }: ParameterIndex,
): { criterion: Criterion; exact: boolean } {
  const { prefix, low, high } = operand;
  const isExact = low % DAY === 0 && high % DAY === 0 && isWithinCalendar(low, high);
  const within = (): Criterion => some([withinForm(commonCell(low, high - 1))]);
  const above = (): Criterion => some(endsFrom(high));
  const below = (): Criterion => some(beginsUpTo(low - 1));
  switch (prefix) {
    case 'eq':
      return { criterion: within(), exact: isExact };
    case 'ne': {
      const not: Criterion = { kind: 'not', of: within() };
      return isExact
        ? { criterion: { kind: 'all', of: [present, not] }, exact: true }
        : { criterion: present, exact: false };
    }
    case 'gt':
      return { criterion: above(), exact: isExact };
    case 'lt':
      return { criterion: below(), exact: isExact };
    case 'ge':
      return { criterion: { kind: 'any', of: [above(), within()] }, exact: isExact };
    case 'le':
      return { criterion: { kind: 'any', of: [below(), within()] }, exact: isExact };
    case 'sa':
      return { criterion: some(beginsFrom(high)), exact: isExact };
    case 'eb':
      return { criterion: some(endsUpTo(low - 1)), exact: isExact };
    case 'ap':
      return { criterion: { kind: 'all', of: [some(endsFrom(low)), some(beginsUpTo(high - 1))] }, exact: false };
  }
}

/** The smallest calendar cell that holds both instants: what a date of that precision is. */
function commonCell(first: number, last: number): string {
  const ofLast = new Set(calendarCells(last));
  return calendarCells(first).findLast((cell) => ofLast.has(cell)) ?? '';
}
