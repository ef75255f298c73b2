import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approximateRange, parseSearchDate } from './dates.ts';

const PREFIXES = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];
const DATES: readonly (readonly [text: string, low: string, high: string, precision: string])[] = [
  ['2013', '2013-01-01T00:00:00Z', '2014-01-01T00:00:00Z', 'year'],
  ['2013-01', '2013-01-01T00:00:00Z', '2013-02-01T00:00:00Z', 'month'],
  ['2013-01-14', '2013-01-14T00:00:00Z', '2013-01-15T00:00:00Z', 'day'],
  ['2013-01-14T10:00', '2013-01-14T10:00:00Z', '2013-01-14T10:01:00Z', 'minute'],
  ['2013-01-14T10:00Z', '2013-01-14T10:00:00Z', '2013-01-14T10:01:00Z', 'minute'],
  ['2013-01-14T10:00:05+08:00', '2013-01-14T02:00:05Z', '2013-01-14T02:00:06Z', 'second'],
  ['2013-01-14T10:00:05 08:00', '2013-01-14T02:00:05Z', '2013-01-14T02:00:06Z', 'second'],
  ['2013-01-14T10:00:05.25Z', '2013-01-14T10:00:05.250Z', '2013-01-14T10:00:05.260Z', 'millisecond'],
];

for (const [text, low, high, precision] of DATES) {
  for (const prefix of ['', ...PREFIXES]) {
    test(`${prefix}${text} is ${prefix || 'eq'} of its ${precision}`, () => {
      assert.deepEqual(parseSearchDate(prefix + text), {
        kind: 'date',
        prefix: prefix || 'eq',
        low: Date.parse(low),
        high: Date.parse(high),
        precision,
      });
    });
  }
}

test('malformed dates are refused', () => {
  const malformed = [
    '',
    'eq',
    'xx2013',
    'EQ2013',
    '2013-02-30',
    '2013-01-14T10',
    'today',
    'ge 2013',
    '2013,2014',
    'gele2013',
  ];
  for (const text of malformed) assert.equal(parseSearchDate(text), undefined, text);
});

test('approximately is a tenth of the distance from now', () => {
  const now = 1_000;
  assert.deepEqual(approximateRange({ low: 800, high: 900 }, now), { low: 790, high: 910 });
  assert.deepEqual(approximateRange({ low: 1_200, high: 1_300 }, now), { low: 1_180, high: 1_320 });
  assert.deepEqual(approximateRange({ low: 900, high: 1_100 }, now), { low: 900, high: 1_100 });
});
