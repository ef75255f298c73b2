import type { PermittedRow, Position } from '../../repository/permitted.ts';
import { MAX_OPENED, newPage, openAll, type PreparedSearch, type SearchPage, tooCostly } from './prepared.ts';

/** A position as a cursor keeps it. */
interface StoredPosition {
  readonly at: string;
  readonly row: string;
}

/**
 * A page in order of change (the default order, and `_sort=_lastUpdated`), straight from the index. Where the index
 * answers a superset, it is read on until the page is full.
 */
export async function pageByChange(prepared: PreparedSearch, after: object | undefined): Promise<SearchPage> {
  const { count, decide, sort } = prepared;
  const descending = sort[0]?.descending ?? false;
  let beyond = after === undefined ? undefined : read(after as StoredPosition);
  const draft = newPage();
  const { records } = draft;
  let opened = 0;
  for (;;) {
    const limit = count + 1 - records.length;
    const rows = await nextRows(prepared, { limit, descending, beyond });
    const full = await openAll(prepared, rows, draft);
    if (full !== undefined) return { records, next: positionOf(full) };
    opened += rows.length;
    const last = rows.at(-1);
    if (records.length > count) return { records: records.slice(0, count), next: positionOf(records[count - 1]?.row) };
    // Exact answers are complete as they come; fewer rows than asked for means that there are no more.
    if (rows.length < limit || last === undefined) return { records, next: undefined };
    if (decide !== undefined && opened > MAX_OPENED) throw tooCostly();
    beyond = { at: last.at, versionId: last.versionId };
  }
}

/** The next rows in order of change, whichever plan finds them. */
async function nextRows(
  { search, plans }: PreparedSearch,
  page: { readonly limit: number; readonly descending: boolean; readonly beyond: Position | undefined },
): Promise<readonly PermittedRow[]> {
  const found = await Promise.all(plans.map((plan) => search.page(plan, page)));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const direction = page.descending ? -1 : 1;
  return found
    .flat()
    .sort((a, b) => direction * compareChanges(a, b))
    .slice(0, page.limit);
}

function compareChanges(a: Position, b: Position): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return a.versionId < b.versionId ? -1 : 1;
}

function positionOf(row: PermittedRow | undefined): StoredPosition | undefined {
  return row === undefined ? undefined : { at: row.at, row: row.versionId.toString() };
}

function read({ at, row }: StoredPosition): Position {
  return { at, versionId: BigInt(row) };
}
