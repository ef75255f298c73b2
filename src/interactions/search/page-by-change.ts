import type { PermittedRow, Position } from '../../repository/permitted.ts';
import {
  MAX_OPENED,
  newPage,
  nextChunk,
  openAll,
  type PreparedSearch,
  type SearchPage,
  tooCostly,
} from './prepared.ts';

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
  let limit = count + 1;
  for (;;) {
    const { rows, more } = await nextRows(prepared, { limit, descending, beyond });
    const full = await openAll(prepared, rows, draft);
    if (full !== undefined) return { records, next: positionOf(full) };
    opened += rows.length;
    const last = rows.at(-1);
    if (records.length > count) return { records: records.slice(0, count), next: positionOf(records[count - 1]?.row) };
    if (!more || last === undefined) return { records, next: undefined };
    if (decide !== undefined && opened > MAX_OPENED) throw tooCostly();
    beyond = { at: last.at, versionId: last.versionId };
    limit = nextChunk(count + 1 - records.length, limit);
  }
}

interface Rows {
  readonly rows: readonly PermittedRow[];
  /** Whether there may be others beyond them. */
  readonly more: boolean;
}

/** Of several plans each is asked for its part of a page, or a little more: most of what all have would be dropped. */
const LEAST_PART = 20;
/** How many plans are asked at the same time. */
const AT_ONCE = 4;

/** The next rows in order of change, whichever plan finds them. */
async function nextRows(
  { search, plans }: PreparedSearch,
  page: { readonly limit: number; readonly descending: boolean; readonly beyond: Position | undefined },
): Promise<Rows> {
  const { limit } = page;
  const part = Math.min(
    limit,
    plans.length === 1 ? limit : Math.max(LEAST_PART, Math.ceil((2 * limit) / plans.length)),
  );
  const found: (readonly PermittedRow[])[] = [];
  for (let at = 0; at < plans.length; at += AT_ONCE) {
    const asked = plans.slice(at, at + AT_ONCE).map((plan) => search.page(plan, { ...page, limit: part }));
    found.push(...(await Promise.all(asked)));
  }
  const [only = [], ...others] = found;
  if (others.length === 0) return { rows: only, more: only.length === part };
  const compare = (a: Position, b: Position) => (page.descending ? -1 : 1) * compareChanges(a, b);
  // Beyond the end of what a plan was asked for, rows of its own may come first.
  const [end] = found
    .filter((rows) => rows.length === part)
    .map((rows) => rows[part - 1] as PermittedRow)
    .sort(compare);
  const rows = found.flat().sort(compare);
  const known = end === undefined ? rows : rows.filter((row) => compare(row, end) <= 0);
  return { rows: known.slice(0, limit), more: end !== undefined || known.length > limit };
}

function compareChanges(a: Position, b: Position): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return a.versionId === b.versionId ? 0 : a.versionId < b.versionId ? -1 : 1;
}

function positionOf(row: PermittedRow | undefined): StoredPosition | undefined {
  return row === undefined ? undefined : { at: row.at, row: row.versionId.toString() };
}

function read({ at, row }: StoredPosition): Position {
  return { at, versionId: BigInt(row) };
}
