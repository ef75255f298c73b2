/** HARD-CASES 19: what the ledger committed as invalid had no effect, and is never taken for an anchor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../conformance/support/test-database.ts';
import { noFaults } from '../faults.ts';
import { silentLogger } from '../logger.ts';
import type { ContentStore } from '../storage/content/port.ts';
import { selectBatch } from '../storage/trail/log.ts';
import type { ContractCall, Ledger } from './ledger/port.ts';
import { createRelay } from './relay.ts';
import { createSequencer } from './sequencer.ts';

test('an anchor that was committed as invalid is prepared anew, and its bytes are not sent again', async (t) => {
  const { database } = await testDatabase(t);
  await database.query('writer', `insert into institution (name) values ('ours')`);
  const [{ id } = { id: 0 }] = await database.query<{ id: number }>('writer', 'select id from institution');
  await database.query('writer', 'insert into leaf_pending (institution, log, hash) values ($1, 2, $2)', [
    id,
    Buffer.alloc(32, 1),
  ]);
  await createSequencer({ database, now: Date.now, faults: noFaults }).run();

  const prepared: ContractCall[] = [];
  const submitted: string[] = [];
  const statuses = ['ENDORSEMENT_POLICY_FAILURE', 'MVCC_READ_CONFLICT', 'VALID'];
  const ledger: Pick<Ledger, 'membership' | 'prepare' | 'submit' | 'evaluate'> = {
    membership: { mspId: 'AMSP', others: ['BMSP'] },
    async prepare(call) {
      prepared.push(call);
      return { transactionId: `t${prepared.length}`, bytes: Buffer.from(`bytes ${prepared.length}`) };
    },
    async submit(bytes) {
      submitted.push(Buffer.from(bytes).toString());
      const status = statuses[submitted.length - 1] ?? assert.fail('nothing is sent after that');
      return { transactionId: `t${submitted.length}`, status, block: BigInt(submitted.length) };
    },
    evaluate: async () => Buffer.from(JSON.stringify({ owner: 'AMSP' })),
  };
  const relay = createRelay({
    database,
    content: { put: async () => undefined } as unknown as ContentStore,
    ledger: ledger as Ledger,
    institutionName: () => 'ours',
    now: Date.now,
    faults: noFaults,
    logger: silentLogger,
  });
  const batch = async () => {
    const row = await selectBatch(database, { institution: id, log: 2 }, 1);
    return [row?.anchoredAt !== null, row?.transactionId, row?.transactionBytes, row?.block];
  };
  for (let attempt = 1; attempt <= 2; attempt++) {
    assert.equal(await relay.run(), 0);
    assert.deepEqual(await batch(), [false, null, null, null], `after attempt ${attempt}`);
  }
  assert.equal(await relay.run(), 1);
  assert.deepEqual(await batch(), [true, 't3', null, 3n]);
  assert.equal(await relay.run(), 0);
  assert.deepEqual(submitted, ['bytes 1', 'bytes 2', 'bytes 3']);
  assert.deepEqual(
    prepared.map(({ transaction }) => transaction),
    ['genesis', 'genesis', 'genesis'],
  );
});
