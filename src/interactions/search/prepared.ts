import type { GuardedSearch, PermittedRecord } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import type { SearchControl } from '../../fhir/search/query.ts';
import type { PermittedRow, SearchPlan } from '../../repository/permitted.ts';

/** A parsed search with everything that its pages need. */
export interface PreparedSearch {
  readonly search: GuardedSearch;
  readonly plan: SearchPlan;
  /** Decides what the index answered as a superset; undefined when it answered exactly. */
  readonly decide: ((record: PermittedRecord) => boolean) | undefined;
  readonly sort: SearchControl['sort'];
  readonly count: number;
}

/** One page: its records, and where the next one begins. */
export interface SearchPage {
  readonly records: readonly PermittedRecord[];
  readonly next: object | undefined;
}

/** Opening or sorting more than this for one answer is refused (DESIGN §6). */
export const MAX_OPENED = 10_000;

export function tooCostly(): MedSealError {
  return new MedSealError('too-costly', `This would open more than ${MAX_OPENED} records; narrow the search down`);
}

/** Opens rows in their order; those that the second lock or the exact comparison refuses are left out. */
export async function openAll(
  { search: guarded, decide }: PreparedSearch,
  rows: readonly PermittedRow[],
): Promise<readonly PermittedRecord[]> {
  const records: PermittedRecord[] = [];
  for (const row of rows) {
    const record = await guarded.open(row);
    if (record !== undefined && (decide === undefined || decide(record))) records.push(record);
  }
  return records;
}
