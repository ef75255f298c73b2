/**
 * A hierarchy of cells over the numbers: powers of ten, and within each the leading digit. Each number lies in one cell
 * of both levels, and all numbers between two are covered by a few cells (those at the ends reach further). So "above
 * 5.4" becomes the question whether two small sets of names meet; which of the found ones it really is, is decided later.
 */

/** What is nearer to zero counts as zero, what is further away as this far. */
const LEAST = -20;
const GREATEST = 30;
const LAST = (GREATEST - LEAST + 1) * 9;

/** The cells of a number (infinite for an open end), coarser first. */
export function magnitudeCells(value: number): readonly [coarse: string, fine: string] {
  const cell = cellOf(value);
  return [coarseName(cell), fineName(cell)];
}

/** The fewest cells that cover everything between two numbers, both included. At most 120. */
export function coverBetween(low: number, high: number): readonly string[] {
  const found: string[] = [];
  const last = cellOf(high);
  let cell = cellOf(low);
  while (cell <= last) {
    const end = endOfDecade(cell);
    if (cell === startOfDecade(cell) && end <= last) {
      found.push(coarseName(cell));
      cell = end + 1;
    } else {
      found.push(fineName(cell));
      cell += 1;
    }
  }
  return found;
}

/** Numbers in order are in cells in order: 0 is zero, 1 to 9 the smallest decade, and the negative ones mirror these. */
function cellOf(value: number): number {
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return Math.sign(value) * LAST;
  // The digits as JavaScript writes them: no logarithm that could be off by one at a power of ten.
  const [digits = '0', exponent = '0'] = size.toExponential().split('e');
  if (size === 0 || Number(exponent) < LEAST) return 0;
  const cell = (Number(exponent) - LEAST) * 9 + Number(digits.charAt(0));
  return Math.sign(value) * Math.min(cell, LAST);
}

/** Of the decade that a cell is in, counted from zero outwards. */
function decadeOf(cell: number): number {
  return Math.ceil(Math.abs(cell) / 9);
}

function startOfDecade(cell: number): number {
  if (cell === 0) return 0;
  return cell > 0 ? (decadeOf(cell) - 1) * 9 + 1 : -decadeOf(cell) * 9;
}

function endOfDecade(cell: number): number {
  if (cell === 0) return 0;
  return cell > 0 ? decadeOf(cell) * 9 : -((decadeOf(cell) - 1) * 9 + 1);
}

function coarseName(cell: number): string {
  return `e${Math.sign(cell) * decadeOf(cell)}`;
}

function fineName(cell: number): string {
  return `d${cell}`;
}
