import type { GuardedSearch } from '../../consent/guarded-reader.ts';
import type { PermittedRow, SearchPlan } from '../../repository/permitted.ts';
import { loadedAhead } from './ahead.ts';
import { tooCostly } from './prepared.ts';

/** Rows that lie in memory at once. */
const PAGE = 250;

/** How many rows one answer may still look at; plans of one answer share it. */
export interface RowBudget {
  left: number;
}

/**
 * Every row that a plan finds, in the order of change, page by page.
 *
 * @param budget without one, whoever walks says when it is enough
 * @throws MedSealError `too-costly` when the budget is used up, before the rows beyond it are opened
 */
export async function* everyRow(
  search: GuardedSearch,
  plan: SearchPlan,
  budget?: RowBudget,
): AsyncGenerator<PermittedRow, void, undefined> {
  let beyond: PermittedRow | undefined;
  for (;;) {
    const rows = await search.page(plan, { limit: PAGE, descending: false, beyond });
    const isFull = rows.length === PAGE;
    if (budget !== undefined) {
      budget.left -= rows.length;
      if (budget.left < 0 || (budget.left === 0 && isFull)) throw tooCostly();
    }
    for await (const next of loadedAhead(search, rows)) yield* next;
    beyond = rows.at(-1);
    if (!isFull) return;
  }
}
