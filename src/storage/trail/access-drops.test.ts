import assert from 'node:assert/strict';
import { test } from 'node:test';
import { genericPlan, planner, wholeReads } from '../../../conformance/plans/statements.ts';
import { testDatabase } from '../../../conformance/support/test-database.ts';
import type { Database, Sql } from '../database/port.ts';
import {
  destroyEntries,
  destroySegments,
  noteDrop,
  selectBatchesBehind,
  selectDrop,
  selectDropped,
} from './access-drops.ts';
import { selectAccessPage } from './scrub.ts';

test('no statement of a drop, nor the scrub of what is left, reads all of a table that grows', async (t) => {
  const { database, recordsUrl } = await testDatabase(t);
  const texts = new Set<string>();
  const noting = (sql: Sql): Sql => ({
    query(text, values) {
      texts.add(text);
      return sql.query(text, values);
    },
  });
  const noted: Database = {
    ...database,
    query: (role, text, values) => noting({ query: (...one) => database.query(role, ...one) }).query(text, values),
    transaction: (role, work, options) => database.transaction(role, (sql) => work(noting(sql)), options),
  };
  await database.query('writer', `insert into institution (name) values ('ours')`);
  const [{ id } = { id: 0 }] = await database.query<{ id: number }>('writer', 'select id from institution');
  await database.query(
    'writer',
    `insert into batch (institution, log, first, size, root, sealed_at, anchored_at)
     values ($1, 2, 0, 5, '', now(), now())`,
    [id],
  );
  const note = '00000000-0000-4000-8000-000000000001';
  const before = new Date().toISOString();
  assert.equal((await selectBatchesBehind(noted, id, await selectDropped(noted, id), 10)).length, 1);
  const noteSize = (size: bigint) =>
    noted.transaction('writer', (sql) => noteDrop(sql, { institution: id, size, before, note }));
  assert.deepEqual([await noteSize(4n), await noteSize(5n), await noteSize(5n)], [false, true, false]);
  assert.deepEqual([await destroyEntries(noted, id, 10), await destroyEntries(noted, id, 10)], [0, undefined]);
  assert.equal(await destroySegments(noted, id, before), 0);
  assert.deepEqual(await selectDrop(noted, id), { size: 5n, idToken: note, entry: null, logged: false });
  assert.deepEqual(await selectAccessPage(noted, 0n, 10), []);

  const client = await planner(recordsUrl);
  try {
    for (const text of texts) {
      // leaf_pending is as long as what waits for its number.
      const read = wholeReads(await genericPlan(client, text)).filter((table) => table !== 'leaf_pending');
      assert.deepEqual(read, [], text);
    }
  } finally {
    await client.end();
  }
  assert.equal(texts.size, 9);
});
