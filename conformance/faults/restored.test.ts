/**
 * HARD-CASES 25 and 26: after a random workload one of the two, database and ledger, is put back to an earlier backup,
 * and what mends that is disturbed too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Random, seed } from '../support/seed.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { backUp, LEDGER, RECORDS } from './backup.ts';
import { createActors, stageOf } from './drill.ts';
import { accepted, clientOf, patient, writesOf } from './node-records.ts';
import { rebuilt } from './rebuild.ts';
import { onRecords, untilAnchored } from './records-database.ts';
import { takeSnapshot } from './records-snapshot.ts';
import { scrubFindings } from './scrub.ts';

/** What happens while the database is replayed, or anchored again. */
const MODES = ['kill', 'error', 'timeout'] as const;

for (const mode of MODES) {
  test(`a database restored from a backup older than the ledger: ${mode}`, async (t) => {
    const node = await startTestNode(t);
    const random = seed(t);
    const actors = await work(node, random);
    const restore = await backUp(node, RECORDS);
    for (const actor of actors) await actor.round();
    await untilAnchored(node);
    await node.stop();
    const newest = await takeSnapshot(node);
    await restore();
    await node.restart();

    assert.match(await writesOf(node), /older than its ledger/);
    const refusal = await clientOf(node, 'hospital-a').put('Patient/late', patient('late', '一'));
    assert.equal(refusal.status, 503, refusal.text);
    assert.equal((await clientOf(node, 'hospital-a').get('metadata')).status, 200, 'reads live');
    await disturb(node, mode, random);
    assert.equal((await rebuilt(node)).fence, null);
    assert.equal(await writesOf(node), 'accepted');
    const after = await takeSnapshot(node);
    for (const table of ['versions', 'current', 'consents', 'rules', 'recordLeaves'] as const) {
      assert.deepEqual(after[table], newest[table], table);
    }
    for (const actor of actors) await actor.check();
    await accepted(clientOf(node, 'hospital-a').put('Patient/late', patient('late', '一')));
    await untilAnchored(node);
    // The details of accesses since the backup are gone, their leaves are not.
    assert.deepEqual([...new Set((await scrubFindings(node)).map(({ kind }) => kind))], ['leaf-without-row']);
  });

  test(`a database ahead of its ledger is anchored again: ${mode}`, async (t) => {
    const node = await startTestNode(t);
    const random = seed(t);
    const actors = await work(node, random);
    await untilAnchored(node);
    const restore = await backUp(node, LEDGER);
    for (const actor of actors) {
      await actor.round();
      if (random.integer(2) === 0) await untilAnchored(node);
    }
    await untilAnchored(node);
    const [before] = await anchoredBlocks(node);
    await node.stop();
    await restore();
    const [forgotten] = await anchoredBlocks(node);
    assert.ok(Number(forgotten) < Number(before), 'the ledger has forgotten some');

    await node.restart({ MEDSEAL_FAULT: `anchor-outcome-unknown:${mode}:${1 + random.integer(2)}` });
    await until('the drill strikes', () => node.log().includes('a fault drill strikes'), 60_000);
    if (mode === 'timeout') await node.kill9();
    if (mode === 'kill') await node.ended();
    if (mode !== 'error') await node.restart({});
    await untilAnchored(node);
    await onceEach(node);
    assert.deepEqual(await scrubFindings(node), []);
    for (const actor of actors) await actor.check();
  });
}

async function work(node: TestNode, random: Random) {
  const stage = stageOf({ ...node, arm: () => Promise.resolve(), hasStruck: () => false });
  const actors = await createActors(stage, random, () => Promise.resolve());
  for (const actor of actors) await actor.round();
  return actors;
}

/** A rebuild that does not come to its end, in one of the ways in which it may not. */
async function disturb(node: TestNode, mode: (typeof MODES)[number], random: Random): Promise<void> {
  const rebuilding = rebuilt(node).then(
    () => 'ended',
    () => 'disturbed',
  );
  await delay(random.integer(150));
  if (mode === 'error') {
    const own = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    await onRecords(node, own);
    await rebuilding;
    return;
  }
  await node.kill9();
  await rebuilding;
  await node.restart();
}

function anchoredBlocks(node: TestNode): Promise<readonly string[]> {
  return onRecords<{ count: string }>(node, 'select count(*) from ledger.block').then((rows) =>
    rows.map(({ count }) => count),
  );
}

/** Every batch has its own valid transaction, in the block that it names. */
async function onceEach(node: TestNode): Promise<void> {
  const [counts] = await onRecords<{ batches: string; valid: string; different: string }>(
    node,
    `select count(*) as batches, count(distinct b.transaction_id) as different,
       count(*) filter (where t.status = 'VALID' and t.block = b.block) as valid
     from batch b left join ledger.transaction t on encode(t.id, 'hex') = b.transaction_id
     where b.anchored_at is not null`,
  );
  assert.ok(counts !== undefined && Number(counts.batches) > 0);
  assert.deepEqual([counts.valid, counts.different], [counts.batches, counts.batches]);
}
