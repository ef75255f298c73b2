import type { Resource } from '@medplum/fhirtypes';
import { type GuardedSearch, MAX_PAGE_BYTES, type PermittedRecord } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import type { SearchControl } from '../../fhir/search/query.ts';
import type { PermittedRow, SearchPlan } from '../../repository/permitted.ts';
import type { SortKeys } from '../../sealing/blind-index/sort-keys.ts';
import { loadedAhead } from './ahead.ts';

/** A parsed search with everything that its pages need. */
export interface PreparedSearch {
  readonly search: GuardedSearch;
  /** One for each type searched; their matches are one list, in one order. */
  readonly plans: readonly SearchPlan[];
  /** Decides what the index answered as a superset; undefined when it answered exactly. */
  readonly decide: ((record: PermittedRecord) => boolean) | undefined;
  readonly sort: SearchControl['sort'];
  /** Where what records are sorted by is not all in their envelopes: the rest of it. */
  readonly customSort?: ((resource: Resource) => SortKeys) | undefined;
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

/** Rows at once, where most of those before were none of the matches. */
const MOST_AT_ONCE = 200;

/** How many rows to ask for next, after so many had not filled the page: twice as many, so that few statements find few. */
export function nextChunk(needed: number, before: number): number {
  return Math.max(needed, Math.min(2 * before, MOST_AT_ONCE));
}

/** What of a page is there, and what is still to come. */
export interface PageDraft {
  readonly records: PermittedRecord[];
  /** Bytes of content that still fit. */
  room: number;
}

export function newPage(): PageDraft {
  return { records: [], room: MAX_PAGE_BYTES };
}

/**
 * Opens rows in their order and adds them to the page; those that the second lock or the exact comparison refuses are
 * left out. What a page and its next one's beginning need is opened, and no more.
 *
 * @returns the row at which the page was full by its size, which it may be before it has as many records as asked for
 */
export async function openAll(
  { search: guarded, decide, count }: PreparedSearch,
  rows: readonly PermittedRow[],
  page: PageDraft,
): Promise<PermittedRow | undefined> {
  for await (const next of loadedAhead(guarded, rows)) {
    for (const row of next) {
      const record = await guarded.open(row);
      if (record === undefined || decide?.(record) === false) continue;
      page.records.push(record);
      page.room -= record.content?.length ?? 0;
      if (page.room < 0) return row;
      if (page.records.length > count) return undefined;
    }
  }
  return undefined;
}
