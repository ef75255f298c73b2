import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GuardedSearch } from '../../consent/guarded-reader.ts';
import type { PermittedRow, Position, SearchPlan } from '../../repository/permitted.ts';
import { everyRow } from './walk.ts';

const PLAN = {} as SearchPlan;

/** A search that finds so many rows. */
function finding(count: number): { readonly search: GuardedSearch; readonly pages: number[] } {
  const pages: number[] = [];
  const page = async (_plan: SearchPlan, { limit, beyond }: { limit: number; beyond: Position | undefined }) => {
    const first = beyond === undefined ? 0 : Number(beyond.versionId) + 1;
    const rows = Array.from({ length: Math.min(limit, count - first) }, (_, index) => ({
      versionId: BigInt(first + index),
    }));
    pages.push(rows.length);
    return rows as unknown as readonly PermittedRow[];
  };
  return { search: { page, ahead: async () => undefined } as unknown as GuardedSearch, pages };
}

async function walked(count: number, budget?: { left: number }): Promise<number> {
  let next = 0n;
  for await (const { versionId } of everyRow(finding(count).search, PLAN, budget)) assert.equal(versionId, next++);
  return Number(next);
}

test('each row comes once, in order, however the pages fall', async () => {
  for (const count of [0, 1, 249, 250, 251, 500, 777]) assert.equal(await walked(count), count);
});

test('plans share a budget, and what is beyond it is too costly', async () => {
  const budget = { left: 600 };
  assert.equal(await walked(300, budget), 300);
  assert.equal(await walked(300, budget), 300);
  assert.equal(budget.left, 0);
  assert.equal(await walked(0, budget), 0);
  await assert.rejects(walked(1, budget), { code: 'too-costly' });
});

test('a budget that ends with a full page is not known to suffice', async () => {
  await assert.rejects(walked(500, { left: 500 }), { code: 'too-costly' });
  assert.equal(await walked(500, { left: 501 }), 500);
});

test('a page is asked for when its first row is needed', async () => {
  const { search, pages } = finding(600);
  for await (const { versionId } of everyRow(search, PLAN)) if (versionId === 250n) break;
  assert.deepEqual(pages, [250, 250]);
});
