import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, planNodes } from '../../../conformance/support/explain.ts';
import { testDatabase } from '../../../conformance/support/test-database.ts';
import type { Database } from '../database/port.ts';
import { foldBatches, selectCarried, selectCarriedOf } from './carried.ts';
import { selectBatch } from './log.ts';
import { selectBatchPage } from './scrub.ts';

const BATCHES = 5000;

/** As `database`, and plans of the statements that are asked through it. */
function recording(database: Database) {
  const asked: { text: string; values: readonly unknown[] }[] = [];
  const recorded: Pick<Database, 'query'> = {
    query: (role, text, values = []) => {
      asked.push({ text, values });
      return database.query(role, text, values);
    },
  };
  return { asked, database: recorded as Database };
}

test('batches that one has taken the place of are kept, read in order, and found by an index', async (t) => {
  const { database } = await testDatabase(t);
  await database.query('writer', `insert into institution (name) values ('ours'), ('others')`);
  const [{ id } = { id: 0 }] = await database.query<{ id: number }>('writer', 'select id from institution order by id');
  await database.query(
    'writer',
    `insert into batch (institution, log, first, size, root, sealed_at, manifest, transaction_id, block, anchored_at)
     select i.id, log, 10 * (n - 1), 10 * n, decode(lpad(to_hex(n), 64, '0'), 'hex'), now(), 'm' || n,
       case when n <= $1 - 2 then 't' || n end, n, case when n <= $1 - 2 then now() end
     from institution i, generate_series(1, 2) log, generate_series(1, $1::int) n`,
    [BATCHES],
  );
  const key = { institution: id, log: 1 };
  const carried = 10 * (BATCHES - 2);
  await foldBatches(database, key, carried);
  await database.query('writer', 'analyze batch, carried_batch');

  const kept = await selectCarried(database, key);
  assert.equal(kept.length, BATCHES - 2);
  assert.deepEqual([kept[0]?.transactionId, kept.at(-1)?.size], ['t1', BigInt(carried)]);
  const one = await selectBatch(database, key, carried);
  assert.deepEqual([one?.first, one?.root, one?.anchoredAt, one?.manifest], [0n, kept.at(-1)?.root, null, null]);
  assert.equal((await selectCarried(database, { ...key, log: 2 })).length, 0, 'of the other log nothing');

  const { asked, database: recorded } = recording(database);
  assert.equal((await selectCarriedOf(recorded, key, 25n))?.size, 30n);
  assert.equal(await selectCarriedOf(recorded, key, BigInt(carried)), undefined);
  // A scrub sees them as they were sealed, and the one in their place not.
  assert.deepEqual(
    (await selectBatchPage(recorded, key, 0n, 3)).map(({ first, size }) => [first, size]),
    [
      [0n, 10n],
      [10n, 20n],
      [20n, 30n],
    ],
  );
  const last = await selectBatchPage(recorded, key, BigInt(carried) - 10n, 10);
  assert.deepEqual(
    last.map(({ first, size }) => Number(size - first)),
    [10, 10, 10],
  );
  for (const { text, values } of asked) {
    const nodes = planNodes(await explain(database, 'writer', {}, text, values));
    const carriedScan = nodes.find(
      (node) => node['Relation Name'] === 'carried_batch' && node['Index Name'] !== undefined,
    );
    assert.equal(carriedScan?.['Index Name'], 'carried_batch_pkey', text);
    for (const node of nodes) {
      assert.notEqual(node['Node Type'], 'Seq Scan', text);
      assert.ok(node['Node Type'] !== 'Sort' || node['Plan Rows'] <= 10, `sorts no more than a page: ${text}`);
    }
  }
});

test('folding again, with what became of it, keeps the first account of a batch', async (t) => {
  const { database } = await testDatabase(t);
  await database.query('writer', `insert into institution (name) values ('ours')`);
  const [{ id } = { id: 0 }] = await database.query<{ id: number }>('writer', 'select id from institution');
  const key = { institution: id, log: 1 };
  const insert = (first: number, size: number, transaction: string | null) =>
    database.query(
      'writer',
      `insert into batch (institution, log, first, size, root, sealed_at, manifest, transaction_id, block, anchored_at)
       values ($1, 1, $2::bigint, $3::bigint, decode(repeat('ab', 32), 'hex'), now(), 'm', $4, 7, now())`,
      [id, first, size, transaction],
    );
  await insert(0, 10, 'old');
  await foldBatches(database, key, 10);
  await insert(10, 20, 'carry');
  // As a rebuild does, which found the second one by the carry's own transaction.
  const anchor = { manifest: 'list', transactionId: 'carry', block: 9n, at: '2026-11-22T10:00:00.000Z' };
  await foldBatches(database, key, 20, anchor);
  assert.deepEqual(
    (await selectCarried(database, key)).map(({ size, transactionId, block }) => [size, transactionId, block]),
    [
      [10n, 'old', 7n],
      [20n, null, null],
    ],
  );
  const one = await selectBatch(database, key, 20);
  assert.deepEqual([one?.first, one?.manifest, one?.transactionId, one?.block], [0n, 'list', 'carry', 9n]);
});
