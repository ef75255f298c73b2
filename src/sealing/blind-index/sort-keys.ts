import { normalise } from '../../fhir/search/strings.ts';
import type { SearchValue } from '../../fhir/search/values.ts';
import type { IndexedParameter } from './resource-tokens.ts';

/**
 * What a row is sorted by, kept in its envelope: PostgreSQL learns no order. By parameter code, the smallest and the largest value; R4
 * sorts ascending by the smallest and descending by the largest.
 */
export type SortKeys = Readonly<Record<string, readonly [least: SortKey, greatest: SortKey]>>;
export type SortKey = string | number;

const TEXT_LENGTH = 32;

/** The sort keys of everything that sorts; references and composites do not. */
export function sortKeysOf(found: readonly IndexedParameter[]): SortKeys {
  const keys: Record<string, readonly [SortKey, SortKey]> = {};
  for (const { parameter, values } of found) {
    const ends = values.map(endsOf).filter((pair) => pair !== undefined);
    const [first, ...others] = ends;
    if (first === undefined) continue;
    keys[parameter.code] = others.reduce(
      (range, pair) => [lesser(range[0], pair[0]), greater(range[1], pair[1])],
      first,
    );
  }
  return keys;
}

function endsOf(value: SearchValue): readonly [SortKey, SortKey] | undefined {
  switch (value.kind) {
    case 'token':
      return same(value.code ?? value.text);
    case 'string':
      return same(normalise(value.text));
    case 'uri':
      return same(value.value);
    case 'date':
    case 'number':
    case 'quantity':
      return [finite(value.low), finite(value.high)];
    default:
      return undefined;
  }
}

function same(text: string | undefined): readonly [SortKey, SortKey] | undefined {
  if (text === undefined) return undefined;
  const cut = text.slice(0, TEXT_LENGTH);
  return [cut, cut];
}

/** JSON has no infinities. */
function finite(value: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, value));
}

function lesser(a: SortKey, b: SortKey): SortKey {
  return compareSortKeys(a, b) <= 0 ? a : b;
}

function greater(a: SortKey, b: SortKey): SortKey {
  return compareSortKeys(a, b) >= 0 ? a : b;
}

export function compareSortKeys(a: SortKey, b: SortKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
