/**
 * HARD-CASES 28: two servers on one database number, seal and anchor at the same time, and one of them dies, fails or
 * hangs on the way. Every leaf is in its log once, every batch is anchored once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomOf, seed } from '../support/seed.ts';
import { startTestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { clientOf, patient } from './node-records.ts';
import { TRAIL_POINTS } from './points.ts';
import { onRecords, untilAnchored } from './records-database.ts';
import { scrubFindings } from './scrub.ts';

const MODES = ['kill', 'error', 'timeout'] as const;
const WRITES = 60;
const AT_ONCE = 4;

for (const mode of MODES) {
  test(`two anchorers, and one of them meets a ${mode}`, async (t) => {
    const random = randomOf(seed(t).seed);
    const { point } = random.pick(TRAIL_POINTS);
    const first = await startTestNode(t);
    const second = await startTestNode(t, {
      replicaOf: first,
      env: { MEDSEAL_FAULT: `${point}:${mode}:${1 + random.integer(2)}` },
    });
    const servers = [clientOf(first, 'hospital-a'), clientOf(second, 'hospital-a')];
    let accepted = 0;
    const write = async (index: number): Promise<void> => {
      const id = `w${index}`;
      const server = servers[random.integer(2)];
      // What the one that dies does not answer, the other one is asked again.
      const answer = await server?.put(`Patient/${id}`, patient(id, id)).catch(() => undefined);
      if (answer?.status !== 201) await servers[0]?.put(`Patient/${id}`, patient(id, id));
      accepted += 1;
    };
    for (let index = 0; index < WRITES; index += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, offset) => write(index + offset)));
      // Both have time to take up what has come.
      await until('some are numbered', async () => (await numbered()) > index / 2);
    }
    assert.equal(accepted, WRITES);
    // One that hangs holds the lock until its process is gone, as PostgreSQL then sees.
    if (mode === 'timeout') await second.kill9();
    await untilAnchored(first);

    const [logs] = await onRecords<Record<string, string>>(
      first,
      `select (select count(*) from resource_version) as versions,
         (select count(distinct version_id) from leaf where log = 1) as different,
         (select count(*) from leaf where log = 1) as leaves,
         (select sum(size) from (select max(size) as size from batch where log = 1 group by institution) heads) as heads,
         (select count(*) from batch) as batches,
         (select count(*) from ledger.transaction t join batch b on encode(t.id, 'hex') = b.transaction_id
            where t.status = 'VALID') as anchored,
         (select count(*) from resource_version where version > 1) as repeated`,
    );
    const { versions, different, leaves, heads, batches, anchored, repeated } = logs ?? {};
    assert.deepEqual([different, leaves, heads], [versions, versions, versions]);
    assert.deepEqual([anchored, repeated], [batches, '0']);
    // Each has a content store of its own, so what the other one stored is not here; nothing else differs.
    const kinds = new Set((await scrubFindings(first)).map(({ kind }) => kind));
    assert.deepEqual(
      [...kinds].filter((kind) => !/^(content|manifest|block)-missing$/.test(kind)),
      [],
    );

    async function numbered(): Promise<number> {
      const [row] = await onRecords<{ count: string }>(first, 'select count(*) from leaf where log = 1');
      return Number(row?.count);
    }
  });
}
