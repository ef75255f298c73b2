import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from './table.ts';

test('columns are as wide as their widest cell, names to the left and numbers to the right', () => {
  const text = table(
    ['what', 'a', 'much'],
    [
      ['one', 1.234, 1234567.8],
      ['the other', 45.67, Number.NaN],
    ],
  );
  assert.deepEqual(text.split('\n'), [
    'what          a       much',
    '---------  ----  ---------',
    'one        1.23  1,234,568',
    'the other  45.7          -',
    '',
  ]);
});
