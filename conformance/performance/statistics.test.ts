import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, medians, percentile } from './statistics.ts';

test('a percentile is the smallest value that the share does not exceed', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1);
  assert.deepEqual([percentile(hundred, 0.5), percentile(hundred, 0.95), percentile(hundred, 0.99)], [50, 95, 99]);
  assert.deepEqual([percentile([7], 0.5), percentile([7], 0.99)], [7, 7]);
  assert.equal(percentile([1, 2, 3], 0.5), 2);
  assert.equal(percentile([1, 2, 3, 4], 1), 4);
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

test('medians do not care for order, and are taken member by member', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
  const records = [
    { a: 1, b: 30 },
    { a: 3, b: 10 },
    { a: 2, b: 20 },
  ];
  assert.deepEqual(medians(records), { a: 2, b: 20 });
});
