import type { SearchControl } from '../../fhir/search/query.ts';
import { MAX_OPENED, type PreparedSearch, type SearchPage } from './prepared.ts';
import { everyRow } from './walk.ts';

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
  const budget = { left: MAX_OPENED };
  for (const plan of plans) {
    if (decide === undefined) total += await search.count(plan);
    else {
      for await (const row of everyRow(search, plan, budget)) {
        const record = await search.open(row);
        if (record !== undefined && decide(record)) total += 1;
      }
    }
  }
  return total;
}
