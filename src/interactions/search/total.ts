import type { SearchControl } from '../../fhir/search/query.ts';
import type { Position, SearchPlan } from '../../repository/permitted.ts';
import { MAX_OPENED, type PreparedSearch, type SearchPage, tooCostly } from './prepared.ts';

const CHUNK = 1000;

/** Known for nothing when everything is on the first page; counted when asked for. */
export async function totalFor(
  prepared: PreparedSearch,
  control: SearchControl,
  page: SearchPage,
  first: boolean,
): Promise<number | undefined> {
  if (first && page.next === undefined) return page.records.length;
  return control.total === 'accurate' || control.total === 'estimate' ? totalOf(prepared) : undefined;
}

/** By the index where that is exact, else by opening. @throws MedSealError `too-costly` where that would be too many */
export async function totalOf(prepared: PreparedSearch): Promise<number> {
  const { search, plans, decide } = prepared;
  let total = 0;
  let room = MAX_OPENED;
  for (const plan of plans) {
    if (decide === undefined) total += await search.count(plan);
    else {
      const counted = await countOpened(prepared, plan, room);
      total += counted.total;
      room -= counted.opened;
    }
  }
  return total;
}

async function countOpened({ search, decide }: PreparedSearch, plan: SearchPlan, room: number) {
  let total = 0;
  let opened = 0;
  let beyond: Position | undefined;
  for (;;) {
    const rows = await search.page(plan, { limit: CHUNK, descending: false, beyond });
    for (const row of rows) {
      const record = await search.open(row);
      if (record !== undefined && decide?.(record) !== false) total += 1;
      beyond = row;
    }
    opened += rows.length;
    if (rows.length < CHUNK) return { total, opened };
    if (opened >= room) throw tooCostly();
  }
}
