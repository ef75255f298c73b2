import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, planNodes } from '../../../conformance/support/explain.ts';
import { testDatabase } from '../../../conformance/support/test-database.ts';
import { deleteAnswersBefore, selectAnswer } from './idempotency.ts';

const [OLD, RECENT] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];

test('answers are forgotten by age, found by an index', async (t) => {
  const { database } = await testDatabase(t);
  const [institution] = await database.query<{ id: number }>(
    'writer',
    `insert into institution (name) values ('hospital-a') returning id`,
  );
  assert.ok(institution);
  await database.query(
    'writer',
    `insert into idempotency (institution, key_token, request_token, response, at)
     values ($1, $2, $2, 'old', '2026-01-01T00:00:00Z'), ($1, $3, $3, 'recent', '2026-01-02T00:00:01Z')`,
    [institution.id, OLD, RECENT],
  );
  await deleteAnswersBefore(database, '2026-01-02T00:00:00Z');
  assert.equal(await selectAnswer(database, institution.id, OLD), undefined);
  assert.equal((await selectAnswer(database, institution.id, RECENT))?.response, 'recent');

  const settings = { enable_seqscan: 'off' };
  const plan = await explain(database, 'writer', settings, 'delete from idempotency where at < $1', ['2026-01-02']);
  assert.ok(planNodes(plan).some((node) => node['Index Name'] === 'idempotency_by_time'));
});
