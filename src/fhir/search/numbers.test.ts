import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberRange } from './numbers.ts';

const RANGES: readonly (readonly [text: string, value: number, low: number, high: number])[] = [
  ['100', 100, 99.5, 100.5],
  ['100.00', 100, 99.995, 100.005],
  ['1e2', 100, 95, 105],
  ['1.0e2', 100, 99.5, 100.5],
  ['5.4', 5.4, 5.35, 5.45],
  ['5.40', 5.4, 5.395, 5.405],
  ['5.40e-3', 0.0054, 0.0053995, 0.0054005],
  ['0', 0, -0.5, 0.5],
  ['-7', -7, -7.5, -6.5],
  ['+7', 7, 6.5, 7.5],
  ['-0.50', -0.5, -0.505, -0.495],
  ['007', 7, 6.5, 7.5],
];

for (const [text, value, low, high] of RANGES) {
  test(`${text} is from ${low} to ${high}`, () => {
    assert.deepEqual(numberRange(text), { value, low, high });
  });
}

test('what is no finite decimal is refused', () => {
  for (const text of ['', '.5', '5.', '1e', 'e5', '1e999', '0x10', 'NaN', 'Infinity', '1,5', '1 ', '１']) {
    assert.equal(numberRange(text), undefined, text);
  }
});
