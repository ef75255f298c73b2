/**
 * Rows of text as aligned lines, each indented by two spaces.
 *
 * @param right all columns but the first are numbers, aligned to the right
 */
export function columns(
  rows: readonly (readonly string[])[],
  { right = false }: { readonly right?: boolean } = {},
): readonly string[] {
  const widths = rows.reduce<readonly number[]>(
    (known, row) => row.map((cell, index) => Math.max(known[index] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) => {
    const cells = row.map((cell, index) => {
      const width = widths[index] ?? 0;
      return right && index > 0 ? cell.padStart(width) : cell.padEnd(width);
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

/** With separators: 6,326. */
export function count(number: number): string {
  return number.toLocaleString('en-US');
}
