import type { SortRow } from '../../repository/permitted.ts';
import { compareSortKeys, type SortKey, type SortKeys } from '../../sealing/blind-index/sort-keys.ts';
import { MAX_OPENED, newPage, openAll, type PreparedSearch, type SearchPage, tooCostly } from './prepared.ts';

/** How a row stands in the order that was asked for: its keys, then its version row, which settles ties. */
interface Rank {
  readonly keys: readonly (SortKey | null)[];
  readonly row: string;
}

/** A page in an order that only the server can see, from the sealed sort keys of all matches. */
export async function pageBySortKeys(prepared: PreparedSearch, after: object | undefined): Promise<SearchPage> {
  const { search, plans, count } = prepared;
  const rows: SortRow[] = [];
  for (const plan of plans) {
    rows.push(...(await search.sortRows(plan, MAX_OPENED + 1 - rows.length)));
    if (rows.length > MAX_OPENED) throw tooCostly();
  }
  const compare = comparison(prepared);
  const opened = await openedKeys(prepared, rows);
  const ranked: Rank[] = [];
  for (const row of rows) ranked.push(await rankOf(row, prepared, opened.get(row.versionId)));
  ranked.sort(compare);
  const start = after === undefined ? 0 : ranked.findIndex((rank) => compare(rank, after as Rank) > 0);
  const rest = start < 0 ? [] : ranked.slice(start);
  const draft = newPage();
  const { records } = draft;
  const rankOfRow = (versionId: bigint) => rest.find((rank) => rank.row === versionId.toString());
  for (let at = 0; at < rest.length && records.length <= count; at += count + 1) {
    const wanted = rest.slice(at, at + count + 1).map((rank) => BigInt(rank.row));
    const found = new Map((await search.rows(wanted)).map((row) => [row.versionId, row]));
    const inOrder = wanted.map((versionId) => found.get(versionId)).filter((row) => row !== undefined);
    const full = await openAll(prepared, inOrder, draft);
    if (full !== undefined) return { records, next: rankOfRow(full.versionId) };
  }
  const last = records[count - 1];
  if (records.length <= count || last === undefined) return { records, next: undefined };
  return { records: records.slice(0, count), next: rankOfRow(last.row.versionId) };
}

const CHUNK = 250;

/** By version row, the keys that only an opened record tells. */
async function openedKeys(
  { search, customSort }: PreparedSearch,
  rows: readonly SortRow[],
): Promise<ReadonlyMap<bigint, SortKeys>> {
  const keys = new Map<bigint, SortKeys>();
  if (customSort === undefined) return keys;
  for (let at = 0; at < rows.length; at += CHUNK) {
    const versionIds = rows.slice(at, at + CHUNK).map(({ versionId }) => versionId);
    for (const row of await search.rows(versionIds)) {
      const resource = (await search.open(row))?.resource;
      if (resource !== undefined) keys.set(row.versionId, customSort(resource));
    }
  }
  return keys;
}

async function rankOf(row: SortRow, { sort, search }: PreparedSearch, opened: SortKeys = {}): Promise<Rank> {
  const keys = { ...(await search.sortKeys(row)), ...opened };
  return {
    keys: sort.map(({ code, descending }) =>
      code === '_lastUpdated' ? Date.parse(row.at) : (keys[code]?.[descending ? 1 : 0] ?? null),
    ),
    row: row.versionId.toString(),
  };
}

function comparison({ sort }: PreparedSearch): (a: Rank, b: Rank) => number {
  return (a, b) => {
    for (const [index, { descending }] of sort.entries()) {
      const order = compareKeys(a.keys[index] ?? null, b.keys[index] ?? null, descending);
      if (order !== 0) return order;
    }
    return Number(BigInt(a.row) - BigInt(b.row));
  };
}

/** Rows without a value come last, whichever way it is sorted. */
function compareKeys(left: SortKey | null, right: SortKey | null, descending: boolean): number {
  if (left === null) return right === null ? 0 : 1;
  if (right === null) return -1;
  return descending ? compareSortKeys(right, left) : compareSortKeys(left, right);
}
