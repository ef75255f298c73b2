import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { calendarCells, coverFrom, coverUpTo } from './calendar.ts';

const at = (text: string) => Date.parse(text);

test('an instant lies in a decade, a year, a month and a day', () => {
  assert.deepEqual(calendarCells(at('2024-05-17T23:59:59.999Z')), ['202', '2024', '2024-05', '2024-05-17']);
  assert.deepEqual(calendarCells(at('1969-12-31')), ['196', '1969', '1969-12', '1969-12-31']);
});

test('what is outside of the calendar counts as its first or last day', () => {
  const first = ['180', '1800', '1800-01', '1800-01-01'];
  const last = ['219', '2199', '2199-12', '2199-12-31'];
  assert.deepEqual(calendarCells(Number.NEGATIVE_INFINITY), first);
  assert.deepEqual(calendarCells(at('1066-10-14')), first);
  assert.deepEqual(calendarCells(Number.POSITIVE_INFINITY), last);
  assert.deepEqual(calendarCells(at('9999-12-31')), last);
});

test('a cover uses the coarsest cells that fit', () => {
  assert.deepEqual(coverUpTo(at('1812-03-02')), [
    '180',
    '1810',
    '1811',
    '1812-01',
    '1812-02',
    '1812-03-01',
    '1812-03-02',
  ]);
  assert.deepEqual(coverUpTo(at('1812-02-29')), ['180', '1810', '1811', '1812-01', '1812-02']);
  assert.deepEqual(coverUpTo(at('1809-12-31')), ['180']);
  assert.deepEqual(coverFrom(at('2188-11-29')), ['2188-11-29', '2188-11-30', '2188-12', '2189', '219']);
  assert.deepEqual(coverFrom(at('2190-01-01')), ['219']);
  assert.equal(coverUpTo(Number.POSITIVE_INFINITY).length, 40);
  assert.deepEqual(coverFrom(Number.NEGATIVE_INFINITY), coverUpTo(Number.POSITIVE_INFINITY));
});

const instants = fc.date({ min: new Date('1800-01-01'), max: new Date('2199-12-31'), noInvalidDate: true });

test('an instant’s cells meet a cover exactly when its day is on that side', () => {
  fc.assert(
    fc.property(instants, instants, fc.integer({ min: -40, max: 40 }), (first, other, days) => {
      // Also pairs that are close to each other, where the cells are fine.
      for (const second of [other, new Date(first.getTime() + days * 86_400_000)]) {
        const [a, b] = [first, second].map((date) => date.toISOString().slice(0, 10));
        if (a === undefined || b === undefined || b < '1800-01-01' || b > '2199-12-31') continue;
        const cells = new Set(calendarCells(second.getTime()));
        const meets = (cover: readonly string[]) => cover.some((cell) => cells.has(cell));
        assert.equal(meets(coverUpTo(first.getTime())), b <= a);
        assert.equal(meets(coverFrom(first.getTime())), b >= a);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a cover has no cell twice, and none within another', () => {
  fc.assert(
    fc.property(instants, (date) => {
      for (const cover of [coverUpTo(date.getTime()), coverFrom(date.getTime())]) {
        assert.equal(new Set(cover).size, cover.length);
        assert.ok(cover.length <= 89);
        const inner = cover.filter((cell) => cover.some((other) => other !== cell && cell.startsWith(other)));
        assert.deepEqual(inner, []);
      }
    }),
  );
});
