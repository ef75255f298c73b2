import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { coverBetween, magnitudeCells } from './magnitude.ts';

const numbers = fc.oneof(
  fc.double({ noNaN: true }),
  fc.double({ min: -1000, max: 1000, noNaN: true }),
  fc.integer({ min: -30, max: 30 }).map((exponent) => 10 ** exponent),
);

describe('cells of numbers', () => {
  test('of every number between two, some cell is in the cover', () => {
    fc.assert(
      fc.property(numbers, numbers, numbers, (a, b, c) => {
        const [low = 0, value = 0, high = 0] = [a, b, c].toSorted((x, y) => x - y);
        const cover = new Set(coverBetween(low, high));
        assert.ok(magnitudeCells(value).some((cell) => cover.has(cell)));
        assert.ok(cover.size <= 120, String(cover.size));
      }),
    );
  });

  test('what differs in its leading digit, sign or power of ten is told apart', () => {
    for (const [low, high, outside] of [
      [5, 6, 4.9],
      [5, 6, 7],
      [5, 6, 50],
      [5, 6, -5],
      [0, 0, 0.001],
      [-6, -5, -4.9],
      [0.95, 1.05, 2],
      [100, Number.POSITIVE_INFINITY, 99.9],
      [Number.NEGATIVE_INFINITY, -1, 0],
    ] as const) {
      const cover = new Set(coverBetween(low, high));
      assert.ok(!magnitudeCells(outside).some((cell) => cover.has(cell)), `${outside} is not in ${low} to ${high}`);
    }
  });

  test('a power of ten begins a decade', () => {
    for (let exponent = -19; exponent <= 22; exponent++) {
      const [power, below] = [Number(`1e${exponent}`), Number(`9.999e${exponent - 1}`)];
      assert.notEqual(magnitudeCells(power)[0], magnitudeCells(below)[0], String(exponent));
    }
  });

  test('nothing lies between a number and a smaller one', () => assert.deepEqual(coverBetween(2, 1), []));
});
