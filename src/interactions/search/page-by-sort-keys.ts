import type { PermittedRecord } from '../../consent/guarded-reader.ts';
import type { PermittedRow, SortRow } from '../../repository/permitted.ts';
import { compareSortKeys, type SortKey, type SortKeys } from '../../sealing/blind-index/sort-keys.ts';
import { loadedAhead } from './ahead.ts';
import {
  MAX_OPENED,
  newPage,
  nextChunk,
  openAll,
  type PreparedSearch,
  type SearchPage,
  tooCostly,
} from './prepared.ts';

/** How a row stands in the order that was asked for: its keys, then its version row, which settles ties. */
interface Rank {
  readonly keys: readonly (SortKey | null)[];
  readonly row: string;
}

/** A page in an order that only the server can see, from the sealed sort keys of all matches. */
export async function pageBySortKeys(prepared: PreparedSearch, after: object | undefined): Promise<SearchPage> {
  const whole = after === undefined ? await wholeAtOnce(prepared) : undefined;
  if (whole !== undefined) return { records: whole, next: undefined };
  const { search, plans, count } = prepared;
  const rows: SortRow[] = [];
  for (const plan of plans) {
    rows.push(...(await search.sortRows(plan, MAX_OPENED + 1 - rows.length)));
    if (rows.length > MAX_OPENED) throw tooCostly();
  }
  const compare = comparison(prepared);
  const opened = await openedKeys(prepared, rows);
  const ranked: Rank[] = [];
  for await (const next of loadedAhead(search, rows, CHUNK)) {
    for (const row of next) {
      ranked.push(rankOf(row, { ...(await search.sortKeys(row)), ...opened.get(row.versionId) }, prepared));
    }
  }
  ranked.sort(compare);
  const start = after === undefined ? 0 : ranked.findIndex((rank) => compare(rank, after as Rank) > 0);
  const rest = start < 0 ? [] : ranked.slice(start);
  const draft = newPage();
  const { records } = draft;
  const rankOfRow = (versionId: bigint) => rest.find((rank) => rank.row === versionId.toString());
  let size = count + 1;
  for (let at = 0; at < rest.length && records.length <= count; ) {
    const wanted = rest.slice(at, at + size).map((rank) => BigInt(rank.row));
    const found = new Map((await search.rows(wanted)).map((row) => [row.versionId, row]));
    const inOrder = wanted.map((versionId) => found.get(versionId)).filter((row) => row !== undefined);
    const full = await openAll(prepared, inOrder, draft);
    if (full !== undefined) return { records, next: rankOfRow(full.versionId) };
    at += size;
    size = nextChunk(count + 1 - records.length, size);
  }
  const last = records[count - 1];
  if (records.length <= count || last === undefined) return { records, next: undefined };
  return { records: records.slice(0, count), next: rankOfRow(last.row.versionId) };
}

/** Pages of at most so many records are tried whole: of larger ones too much would be read twice. */
const MOST_WHOLE = 100;

/** All matches in their order, where they are one page: each is read and opened once. */
async function wholeAtOnce(prepared: PreparedSearch): Promise<readonly PermittedRecord[] | undefined> {
  const { search, plans, count, customSort } = prepared;
  if (count > MOST_WHOLE) return undefined;
  const rows: PermittedRow[] = [];
  for (const plan of plans) {
    const page = { limit: count + 1 - rows.length, descending: false, beyond: undefined };
    rows.push(...(await search.page(plan, page)));
    if (rows.length > count) return undefined;
  }
  const draft = newPage();
  if ((await openAll(prepared, rows, draft)) !== undefined) return undefined;
  const compare = comparison(prepared);
  return draft.records
    .map((record) => {
      const custom = record.resource === undefined ? undefined : customSort?.(record.resource);
      return { record, rank: rankOf(record.row, { ...record.sort, ...custom }, prepared) };
    })
    .sort((a, b) => compare(a.rank, b.rank))
    .map(({ record }) => record);
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

function rankOf(row: Pick<SortRow, 'at' | 'versionId'>, keys: SortKeys, { sort }: PreparedSearch): Rank {
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
