import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tallies, tallyTable, unseen } from './answers.ts';

const LINES = [
  { operation: 'read', status: 200, milliseconds: 3 },
  { operation: 'search', status: 503, milliseconds: 40 },
  { operation: 'read', status: 304, milliseconds: 9 },
  { operation: 'read', status: 204, milliseconds: 1 },
  { operation: 'search', status: 0, milliseconds: 0 },
];
const ALL = tallies(`${LINES.map((line) => JSON.stringify(line)).join('\n')}\n`);

test('answers are counted by operation and class', () => {
  assert.deepEqual(ALL, [
    { operation: 'read', classes: { '2xx': 2, '3xx': 1 }, slowest: 9 },
    { operation: 'search', classes: { '5xx': 1, none: 1 }, slowest: 40 },
  ]);
});

test('the table has a line for each operation, and their sum', () => {
  const cells = tallyTable(ALL)
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  assert.deepEqual(cells.at(-1), ['all', '2', '1', '0', '1', '1', '40']);
  assert.deepEqual(cells.at(2), ['read', '2', '1', '9']);
  assert.equal(cells.length, 5);
});

test('what was not seen is named', () => {
  const classes = ['2xx', '4xx'] as const;
  assert.deepEqual(
    unseen(ALL, [
      { operation: 'read', classes },
      { operation: 'create', classes },
    ]),
    ['read: 4xx', 'create: 2xx', 'create: 4xx'],
  );
});
