import type { GuardedSearch } from '../../consent/guarded-reader.ts';

/** Of so many rows keys and consents are loaded together, which takes as long as others may wait. */
const TOGETHER = 25;

/** The rows in pieces, each when it is asked for, with what opening it needs loaded. */
export async function* loadedAhead<Row extends Parameters<GuardedSearch['ahead']>[0][number]>(
  search: GuardedSearch,
  rows: readonly Row[],
  together = TOGETHER,
): AsyncGenerator<readonly Row[], void, undefined> {
  for (let at = 0; at < rows.length; at += together) {
    const next = rows.slice(at, at + together);
    await search.ahead(next);
    yield next;
  }
}
