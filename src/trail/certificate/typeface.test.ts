import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTypeface } from './typeface.ts';

const typeface = openTypeface();

/** Height and width of an outline's ink, in thousandths of an em. */
function inkOf(character: string): { readonly height: number; readonly width: number } {
  const [{ path, scale } = { path: '', scale: 1 }] = typeface.outlines(character);
  const numbers = (path.match(/-?\d+(?:\.\d+)?/g) ?? []).map((number) => Number(number) * scale * 1000);
  const extent = (some: readonly number[]) => Math.max(...some) - Math.min(...some);
  return {
    width: extent(numbers.filter((_, index) => index % 2 === 0)),
    height: extent(numbers.filter((_, index) => index % 2 === 1)),
  };
}

test('strokes have the weight of a text that is read, not that of the lightest outlines', () => {
  const { height, width } = inkOf('一');
  assert.ok(height > 65 && height < 100, `一 is ${height} high`);
  assert.ok(width > 800 && width < 1000, `and ${width} wide`);
  const { width: upright } = inkOf('l');
  assert.ok(upright > 65 && upright < 180, `l is ${upright} wide`);
});

test('the same character has the same outline each time, whichever text it is in', () => {
  const [first] = typeface.outlines('病');
  const [, again, third] = typeface.outlines('历病病');
  assert.deepEqual([again, third], [first, first]);
  assert.deepEqual(openTypeface().outlines('病'), [first]);
});

test('Chinese is as wide as its em, Latin as its letter; a space has no ink', () => {
  const widths = typeface.outlines('证，i ').map(({ width }) => width);
  assert.deepEqual(widths.slice(0, 2), [1, 1]);
  assert.ok((widths[2] ?? 1) < 0.35);
  assert.equal(typeface.outlines(' ')[0]?.path, '');
});
