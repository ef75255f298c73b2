import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomOf, seed } from '../../../conformance/support/seed.ts';
import type { GuardedSearch, PermittedRecord } from '../../consent/guarded-reader.ts';
import type { PermittedRow, Position, SearchPlan } from '../../repository/permitted.ts';
import type { SortKeys } from '../../sealing/blind-index/sort-keys.ts';
import { pageByChange } from './page-by-change.ts';
import { pageBySortKeys } from './page-by-sort-keys.ts';
import type { PreparedSearch, SearchPage } from './prepared.ts';

const AT = '2026-01-01T00:00:00.000Z';

/** Records with these dates, in order of change; some have none. What is asked of the database is taken down. */
function recordsOf(dates: readonly (number | undefined)[], more: Partial<PreparedSearch> = {}) {
  const asked: string[] = [];
  const opened: number[] = [];
  const rows = dates.map((_, index) => ({ versionId: BigInt(index), at: AT }) as PermittedRow);
  const keysOf = ({ versionId }: { versionId: bigint }): SortKeys => {
    const date = dates[Number(versionId)];
    return date === undefined ? {} : { date: [date, date] };
  };
  const search: Partial<GuardedSearch> = {
    async page(_plan: SearchPlan, { limit, beyond }: { limit: number; beyond: Position | undefined }) {
      asked.push(`page ${limit}`);
      return rows.filter(({ versionId }) => versionId > (beyond?.versionId ?? -1n)).slice(0, limit);
    },
    async sortRows(_plan: SearchPlan, limit: number) {
      asked.push('sortRows');
      return rows.slice(0, limit);
    },
    async rows(versionIds: readonly bigint[]) {
      asked.push(`rows ${versionIds.length}`);
      return rows.filter(({ versionId }) => versionIds.includes(versionId));
    },
    ahead: async () => undefined,
    async open(row: PermittedRow) {
      opened.push(Number(row.versionId));
      return { row, sort: keysOf(row), content: undefined } as unknown as PermittedRecord;
    },
    sortKeys: async (row) => keysOf(row),
  };
  const prepared: PreparedSearch = {
    search: search as GuardedSearch,
    plans: [{} as SearchPlan],
    decide: undefined,
    sort: [],
    count: 20,
    ...more,
  };
  return { prepared, asked, opened };
}

const idsOf = ({ records }: Pick<SearchPage, 'records'>) => records.map(({ row }) => Number(row.versionId));

async function allPages(
  page: (prepared: PreparedSearch, after: object | undefined) => Promise<SearchPage>,
  prepared: PreparedSearch,
): Promise<readonly number[]> {
  const all: number[] = [];
  let after: object | undefined;
  do {
    const { records, next } = await page(prepared, after);
    all.push(...idsOf({ records }));
    // As a cursor carries it.
    after = next === undefined ? undefined : (JSON.parse(JSON.stringify(next)) as object);
  } while (after !== undefined);
  return all;
}

describe('a page in an order that only the server sees', () => {
  const sort = [{ code: 'date', descending: true }] as unknown as PreparedSearch['sort'];

  test('of all there is takes one statement and opens each record once', async () => {
    const { prepared, asked, opened } = recordsOf([3, undefined, 5, 4], { sort });
    const { records, next } = await pageBySortKeys(prepared, undefined);
    assert.deepEqual(idsOf({ records }), [2, 3, 0, 1]);
    assert.equal(next, undefined);
    assert.deepEqual(asked, ['page 21']);
    assert.deepEqual(opened, [0, 1, 2, 3]);
  });

  test('is the same whether all fit on it or not', async (t) => {
    const random = randomOf(seed(t).seed);
    for (let trial = 0; trial < 50; trial++) {
      const dates = Array.from({ length: random.integer(40) }, () =>
        random.integer(5) === 0 ? undefined : random.integer(8),
      );
      const whole = await allPages(pageBySortKeys, recordsOf(dates, { sort, count: 60 }).prepared);
      assert.equal(whole.length, dates.length);
      for (const count of [1, 7]) {
        assert.deepEqual(await allPages(pageBySortKeys, recordsOf(dates, { sort, count }).prepared), whole);
      }
    }
  });

  test('of very many is not tried whole', async () => {
    const { prepared, asked } = recordsOf([1, 2], { sort, count: 1000 });
    assert.deepEqual(idsOf(await pageBySortKeys(prepared, undefined)), [1, 0]);
    assert.deepEqual(asked, ['sortRows', 'rows 2']);
  });
});

describe('a page of few among many that the index finds', () => {
  const dates = Array.from({ length: 900 }, (_, index) => index);
  const wanted = new Set([5, 300, 899]);
  const decide = ({ row }: PermittedRecord) => wanted.has(Number(row.versionId));

  test('takes few statements, each asking for twice as many rows as the one before', async () => {
    const { prepared, asked } = recordsOf(dates, { decide, count: 3 });
    assert.deepEqual(idsOf(await pageByChange(prepared, undefined)), [5, 300, 899]);
    assert.deepEqual(
      asked,
      [4, 8, 16, 32, 64, 128, 200, 200, 200, 200].map((limit) => `page ${limit}`),
    );
  });

  test('opens none beyond what tells where the next page begins', async () => {
    const all = recordsOf(dates, { decide, count: 1 });
    assert.deepEqual(await allPages(pageByChange, all.prepared), [5, 300, 899]);
    const first = recordsOf(dates, { decide, count: 1 });
    await pageByChange(first.prepared, undefined);
    assert.equal(first.opened.at(-1), 300);
  });

  test('that all match is one statement', async () => {
    const { prepared, asked } = recordsOf(dates, { count: 10 });
    assert.equal((await pageByChange(prepared, undefined)).records.length, 10);
    assert.deepEqual(asked, ['page 11']);
  });
});
