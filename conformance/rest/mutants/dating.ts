import { mutantsOf } from './mutant.ts';

const DATES = 'src/fhir/search/dates.ts';
const MATCH = 'src/fhir/search/match.ts';
const SEARCH_DATES = 'src/repository/search-dates.ts';

/** http://hl7.org/fhir/R4/search.html#date, #prefix */
export const BY_DATES = mutantsOf(
  ['search by date', 'chains'],
  [
    [
      'date-prefix-ignored',
      'every prefix is eq',
      DATES,
      'prefix: prefix as Prefix, ...temporal };',
      "prefix: 'eq', ...temporal };",
      ['search by date'],
    ],
    [
      'date-eq-by-overlap',
      'eq finds what overlaps',
      MATCH,
      "case 'eq':\n      return contained;",
      "case 'eq':\n      return value.low < operand.high && value.high > operand.low;",
    ],
    [
      'date-eq-by-the-day',
      'eq of a time finds the whole day',
      SEARCH_DATES,
      'criterion: within(), exact: isExact };',
      'criterion: within(), exact: true };',
    ],
    ['date-ne-as-eq', 'ne finds what is equal', SEARCH_DATES, 'of: [present, not] }', 'of: [present, within()] }'],
    [
      'date-gt-as-ge',
      'gt finds what is equal too',
      SEARCH_DATES,
      "case 'gt':\n      return { criterion: above(), exact: isExact };",
      "case 'gt':\n      return { criterion: { kind: 'any', of: [above(), within()] }, exact: isExact };",
    ],
    [
      'date-lt-as-le',
      'lt finds what is equal too',
      SEARCH_DATES,
      "case 'lt':\n      return { criterion: below(), exact: isExact };",
      "case 'lt':\n      return { criterion: { kind: 'any', of: [below(), within()] }, exact: isExact };",
    ],
    [
      'date-ge-as-gt',
      'ge does not find what is equal',
      SEARCH_DATES,
      'of: [above(), within()] }, exact: isExact',
      'of: [above()] }, exact: isExact',
    ],
    [
      'date-le-as-lt',
      'le does not find what is equal',
      SEARCH_DATES,
      'of: [below(), within()] }, exact: isExact',
      'of: [below()] }, exact: isExact',
    ],
    ['date-sa-as-gt', 'sa finds what ends after', SEARCH_DATES, 'some(beginsFrom(high)), exact', 'above(), exact'],
    ['date-eb-as-lt', 'eb finds what begins before', SEARCH_DATES, 'some(endsUpTo(low - 1)), exact', 'below(), exact'],
    ['date-ap-as-eq', 'ap finds what is equal only', DATES, 'now - range.high) / 10;', 'now - range.high) / 10000;'],
    [
      'date-alternatives-lost',
      'of several dates the first counts',
      'src/fhir/search/query/criteria.ts',
      "splitEscaped(value, ',').map((text): Operand => {",
      "splitEscaped(value, ',').slice(0, 1).map((text): Operand => {",
    ],
    [
      'last-updated-gt-as-ge',
      '_lastUpdated=gt finds what is equal',
      SEARCH_DATES,
      "case 'gt':\n      case 'sa':\n        return [range(high, undefined)];",
      "case 'gt':\n      case 'sa':\n        return [range(low, undefined)];",
    ],
    [
      'date-of-the-calendar-ignored',
      'a day that the calendar does not have is a date',
      DATES,
      "|| temporal.precision === 'hour'",
      '',
    ],
    [
      'dates-stored-as-instants',
      'a date that is stored counts as its first instant',
      'src/fhir/search/conversions/date.ts',
      "if (temporal !== undefined) out.push({ kind: 'date', low: temporal.low, high: temporal.high });",
      "if (temporal !== undefined) out.push({ kind: 'date', low: temporal.low, high: temporal.low + 1 });",
    ],
  ],
);
