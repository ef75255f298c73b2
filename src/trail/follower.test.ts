import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../conformance/support/test-database.ts';
import { until } from '../../conformance/support/until.ts';
import { MedSealError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import { selectCheckpoint } from '../storage/trail/follower.ts';
import type { Anchor } from './anchors.ts';
import { type FollowerAlarm, startFollower } from './follower.ts';
import type { Ledger, LedgerBlock } from './ledger/port.ts';

const ROOT = 'ab'.repeat(32);

function anchor(sequence: number, more: Partial<Anchor> = {}): Anchor {
  const size = sequence * 10;
  const transactionId = `${more.institution ?? 'theirs'}-${sequence}`;
  const log = 'records';
  return {
    institution: 'theirs',
    log,
    owner: 'BMSP',
    size,
    root: ROOT,
    manifest: 'm',
    sequence,
    time: '',
    transactionId,
    ...more,
  };
}

function block(number: number, ...anchors: readonly Anchor[]): LedgerBlock {
  const transactions = anchors.map((one) => ({
    transactionId: one.transactionId,
    status: 'VALID' as const,
    event: { name: 'anchor', payload: JSON.stringify(one) },
  }));
  return { number: BigInt(number), transactions };
}

/** A ledger of AMSP's whose blocks are these; it shows nothing else. */
function ledgerOf(blocks: readonly LedgerBlock[], asked: bigint[] = []): Pick<Ledger, 'blocks' | 'membership'> {
  return {
    membership: { mspId: 'AMSP', others: ['BMSP'] },
    async *blocks(from, signal) {
      asked.push(from);
      yield* blocks.filter(({ number }) => number >= from);
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  };
}

async function setUp(t: TestContext) {
  const { database } = await testDatabase(t);
  await database.query('writer', `insert into institution (name) values ('ours')`);
  const [ours] = await database.query<{ id: number }>('writer', 'select id from institution');
  const { id = 0 } = ours ?? {};
  const alarms: FollowerAlarm[] = [];
  /** Follows until the block after the last one is due. */
  async function follow(blocks: readonly LedgerBlock[], more: Partial<Parameters<typeof startFollower>[0]> = {}) {
    const follower = startFollower({
      database,
      ledger: ledgerOf(blocks) as Ledger,
      institutions: () => [{ id, name: 'ours' }],
      height: async () => undefined,
      onAlarm: async (alarm) => void alarms.push(alarm),
      logger: silentLogger,
      retryInterval: 10,
      ...more,
    });
    const due = (blocks.at(-1)?.number ?? -1n) + 1n;
    await until('all blocks are read', async () => (await selectCheckpoint(database)) >= due);
    await follower.stop();
  }
  return { database, id, alarms, follow };
}

test('goes on after the last block that it dealt with, and remembers the newest anchor of each log', async (t) => {
  const { database, follow, alarms } = await setUp(t);
  await follow([block(0), block(1, anchor(1)), block(2, anchor(2), anchor(1, { institution: 'others' }))]);
  const asked: bigint[] = [];
  const all = [block(1, anchor(1)), block(2, anchor(2)), block(3, anchor(3))];
  await follow(all, { ledger: ledgerOf(all, asked) as Ledger });
  assert.deepEqual(asked, [3n]);
  const heads = await database.query('writer', 'select institution, sequence, block from ledger_head order by 1');
  assert.deepEqual(heads, [
    { institution: 'others', sequence: 1n, block: 2n },
    { institution: 'theirs', sequence: 3n, block: 3n },
  ]);
  assert.deepEqual(alarms, []);
});

test('replicas that follow at once deal with a block once', async (t) => {
  const { follow, alarms } = await setUp(t);
  const blocks = Array.from({ length: 40 }, (_, n) => block(n, anchor(n + 1)));
  await Promise.all([follow(blocks), follow(blocks), follow(blocks)]);
  assert.deepEqual(alarms, []);
});

for (const [what, second] of [
  ['is of no larger size', anchor(2, { size: 10 })],
  ['leaves one out', anchor(3)],
  ['begins anew', anchor(1, { transactionId: 'another' })],
  ['is of another organisation', anchor(2, { owner: 'CMSP' })],
] as const) {
  test(`an anchor that ${what} is an alarm`, async (t) => {
    const { follow, alarms } = await setUp(t);
    await follow([block(0, anchor(1)), block(1, second)]);
    assert.deepEqual(alarms, ['log-rewritten']);
  });
}

test('an anchor in our name is compared with our own log', async (t) => {
  const { database, id, follow, alarms } = await setUp(t);
  const own = { institution: 'ours', owner: 'AMSP' };
  for (const size of [10, 20]) {
    await database.query(
      'writer',
      'insert into batch (institution, log, first, size, root, sealed_at) values ($1, 1, $2, $3, $4, now())',
      [id, size - 10, size, Buffer.from(ROOT, 'hex')],
    );
  }
  await follow([block(0, anchor(1, own))]);
  assert.deepEqual(alarms, []);
  await follow([block(1, anchor(2, { ...own, root: 'cd'.repeat(32) }))]);
  assert.deepEqual(alarms, ['anchor-differs']);
  await follow([block(2, anchor(3, own))]);
  assert.deepEqual(alarms, ['anchor-differs', 'anchor-unknown']);
});

test('a ledger that has fewer blocks than were seen is an alarm, until it has them again', async (t) => {
  const { follow, alarms } = await setUp(t);
  await follow([block(0), block(1), block(2, anchor(1))]);
  let tries = 0;
  await follow([block(3, anchor(2))], { height: async () => (++tries < 3 ? 2 : 4) });
  assert.deepEqual(alarms, ['ledger-shortened', 'ledger-shortened']);
});

test('what cannot be reached is asked again, and told once', async (t) => {
  const { follow, alarms } = await setUp(t);
  const ledger = ledgerOf([block(0, anchor(1))]);
  let tries = 0;
  let told = 0;
  await follow([block(0, anchor(1))], {
    ledger: {
      ...ledger,
      blocks(from, signal) {
        tries += 1;
        if (tries < 4) throw new MedSealError('ledger-unavailable', 'down');
        return ledger.blocks(from, signal);
      },
    } as Ledger,
    logger: {
      ...silentLogger,
      warn: () => {
        told += 1;
      },
    },
  });
  assert.deepEqual([tries, told, alarms.length], [4, 1, 0]);
});
