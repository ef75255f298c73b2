import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dayNumber, parseTemporal, parseTime, utcText } from './temporal.ts';
import { shiftTemporal } from './temporal-arithmetic.ts';

const ms = (text: string) => Date.parse(text);

const INTERVALS: readonly (readonly [string, string, string, string])[] = [
  ['2024', '2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z', 'year'],
  ['2024-02', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z', 'month'],
  ['2024-12', '2024-12-01T00:00:00Z', '2025-01-01T00:00:00Z', 'month'],
  ['2024-02-29', '2024-02-29T00:00:00Z', '2024-03-01T00:00:00Z', 'day'],
  ['2024-05-17T10', '2024-05-17T10:00:00Z', '2024-05-17T11:00:00Z', 'hour'],
  ['2024-05-17T10:30', '2024-05-17T10:30:00Z', '2024-05-17T10:31:00Z', 'minute'],
  ['2024-05-17T10:30:15', '2024-05-17T10:30:15Z', '2024-05-17T10:30:16Z', 'second'],
  ['2024-05-17T10:30:15Z', '2024-05-17T10:30:15Z', '2024-05-17T10:30:16Z', 'second'],
  ['2024-05-17T10:30:15+08:00', '2024-05-17T02:30:15Z', '2024-05-17T02:30:16Z', 'second'],
  ['2024-05-17T22:30:15-05:30', '2024-05-18T04:00:15Z', '2024-05-18T04:00:16Z', 'second'],
  ['2024-05-17T10:30:15.1Z', '2024-05-17T10:30:15.100Z', '2024-05-17T10:30:15.200Z', 'millisecond'],
  ['2024-05-17T10:30:15.123Z', '2024-05-17T10:30:15.123Z', '2024-05-17T10:30:15.124Z', 'millisecond'],
  ['2024-05-17T10:30:15.123456Z', '2024-05-17T10:30:15.123Z', '2024-05-17T10:30:15.124Z', 'millisecond'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z', '2017-01-01T00:00:01Z', 'second'],
];

for (const [text, low, high, precision] of INTERVALS) {
  test(`${text} covers its ${precision}`, () => {
    assert.deepEqual(parseTemporal(text), { low: ms(low), high: ms(high), precision });
  });
}

test('what is no date or time is refused', () => {
  const malformed = [
    '',
    '24',
    '0000',
    '20244',
    '2024-13',
    '2024-00',
    '2024-5',
    '2023-02-29',
    '1900-02-29',
    '2024-04-31',
    '2024-05-00',
    '2024-05-17T',
    '2024-05-17 10:30',
    '2024-05-17T24:00:00Z',
    '2024-05-17T10:60',
    '2024-05-17T10:30:61Z',
    '2024-05-17T10:30:15.Z',
    '2024-05-17T10:30:15+8:00',
    '2024-05-17T10:30:15+15:00',
    '2024-05-17T10:30:15Zx',
    '２０２４',
  ];
  for (const text of malformed) assert.equal(parseTemporal(text), undefined, text);
});

test('the first and last years keep their order', () => {
  assert.equal(parseTemporal('0001-01-01')?.low, -62_135_596_800_000);
  assert.equal(parseTemporal('9999')?.high, 253_402_300_800_000);
});

test('civil dates and instants agree with the platform', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      const day = dayNumber(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
      assert.equal(day, Math.floor(date.getTime() / 86_400_000));
      assert.equal(parseTemporal(date.toISOString())?.low, date.getTime());
    }),
  );
});

test('a time of day is milliseconds since midnight', () => {
  assert.deepEqual(parseTime('10:30'), { low: 37_800_000, high: 37_860_000, precision: 'minute' });
  assert.equal(parseTime('25:00'), undefined);
});

const SHIFTED: readonly (readonly [string, number, string, string | undefined])[] = [
  ['2024-01-31', 1, 'mo', '2024-02-29'],
  ['2023-12-31', -10, 'mo', '2023-02-28'],
  ['2024-02-29', 1, 'a', '2025-02-28'],
  ['2024-05-17', 3, 'd', '2024-05-20'],
  ['2024-05-17', 2, 'wk', '2024-05-31'],
  ['2024-05-17', 25, 'h', '2024-05-18'],
  ['2024', 10, 'd', '2024'],
  ['2024', -18, 'mo', '2023'],
  ['2024-05', 65, 'd', '2024-07'],
  ['2024-05-17T10:30:00+08:00', 90, 'min', '2024-05-17T12:00:00+08:00'],
  ['2024-05-17T23:30:00.000Z', 1, 's', '2024-05-17T23:30:01.000Z'],
  ['2024-05-17', 1, 'mg', undefined],
  ['9999-12-31', 1, 'd', undefined],
  ['soon', 1, 'd', undefined],
];

for (const [text, amount, unit, expected] of SHIFTED) {
  test(`${text} and ${amount} ${unit} is ${expected ?? 'nothing'}`, () => {
    assert.equal(shiftTemporal(text, amount, unit), expected);
  });
}

test('an instant’s text stays within the years 1 to 9999', () => {
  const bounds = (text: string) => {
    const found = parseTemporal(text);
    return found === undefined ? [] : [utcText(found.low), utcText(found.high)];
  };
  assert.deepEqual(bounds('2024-05-17'), ['2024-05-17T00:00:00.000Z', '2024-05-18T00:00:00.000Z']);
  assert.deepEqual(bounds('9999'), ['9999-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z']);
  assert.equal(bounds('9999-12-31T23:59:59-14:00')[0], '9999-12-31T23:59:59.999Z');
  assert.equal(bounds('0001-01-01T00:00:00+14:00')[0], '0001-01-01T00:00:00.000Z');
});
