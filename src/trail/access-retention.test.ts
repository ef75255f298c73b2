/** What is dropped of the access trail, in which order, and what stays; over a PostgreSQL, with days that pass as told. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { verifyInclusion } from 'medseal-chaincode/rules';
import { testDatabase } from '../../conformance/support/test-database.ts';
import { noFaults } from '../faults.ts';
import { createIdentities } from '../sealing/identity.ts';
import { createKeyService } from '../sealing/key-service.ts';
import { createMasterKey } from '../sealing/master-key.ts';
import type { Database } from '../storage/database/port.ts';
import { readTiles } from '../storage/log/tiles.ts';
import { createAccessRetention, type DropEvent } from './access-retention.ts';
import { createAccessSegments } from './access-segments.ts';
import { createAccessTrail } from './access-trail.ts';
import { inclusionProof } from './merkle/proofs.ts';
import { createSequencer } from './sequencer.ts';

const DETAILS = { client: 'x', from: 'ours', purposes: [], interaction: 'read', target: 'Patient/1', status: 200 };
const WISH = { by: 'operator', why: 'retention' };

async function startTrail(t: TestContext) {
  const { database } = await testDatabase(t);
  await database.query('writer', `insert into institution (name) values ('ours')`);
  const [{ id } = { id: 0 }] = await database.query<{ id: number }>('writer', 'select id from institution');
  const ours = { id, name: 'ours' };
  const keys = createKeyService({ database, master: createMasterKey([Buffer.alloc(32, 9)]), faults: noFaults });
  const identities = createIdentities(Buffer.alloc(32, 7));
  const newTrail = () => {
    const segments = createAccessSegments(database, keys, randomBytes);
    return createAccessTrail({ database, segments, identities, random: randomBytes });
  };
  const trail = newTrail();
  let now = Date.parse('2026-01-01T10:00:00Z');
  const sequencer = createSequencer({ database, now: () => now, faults: noFaults });
  const retentionOn = (on: Database) =>
    createAccessRetention({ database: on, trail, institutions: () => [ours], now: () => now, leavesAtOnce: 20 });
  const count = async (table: 'access_entry' | 'leaf' | 'leaf_pending' | 'access_segment' | 'log_tile') =>
    Number((await database.query<{ n: bigint }>('writer', `select count(*) as n from ${table}`))[0]?.n);

  return {
    database,
    ours,
    newTrail,
    count,
    /** A batch of entries of this instant, sealed a moment later. */
    async batch(at: string, entries: number, anchored = true): Promise<void> {
      now = Date.parse(at);
      const details = { ...DETAILS, requestId: randomUUID(), versions: [], patients: [] };
      const event = { institution: ours, at: new Date(now).toISOString(), patients: [], details };
      await trail.record(Array.from({ length: entries }, () => event));
      now += 1;
      await sequencer.run();
      if (anchored) await this.anchor();
    },
    async anchor(): Promise<void> {
      await database.query('writer', 'update batch set anchored_at = sealed_at where anchored_at is null');
    },
    sequence: () => sequencer.run(),
    async drop(before: string, at: string, on: Database = database): Promise<readonly DropEvent[]> {
      now = Date.parse(at);
      const events: DropEvent[] = [];
      for await (const event of retentionOn(on).drop({ ...WISH, before })) events.push(event);
      return events;
    },
    /** What the log says was dropped, oldest first. */
    async notes(): Promise<readonly unknown[]> {
      const rows = await database.query<{ idToken: string; at: string; sealed: string }>(
        'writer',
        'select id_token as "idToken", at, sealed from access_entry order by id',
      );
      const { open } = newTrail();
      const found: object[] = [];
      for (const row of rows) {
        const { interaction, client, remark, dropped } = await open({ ...row, institution: ours });
        if (interaction === 'drop-access') found.push({ client, remark, ...dropped });
      }
      return found;
    },
    async leaves(): Promise<readonly Buffer[]> {
      const rows = await database.query<{ hash: Buffer }>('writer', 'select hash from leaf order by number');
      return rows.map(({ hash }) => hash);
    },
  };
}

test('whole batches go, with a note before them, and every leaf can still be proved', async (t) => {
  const trail = await startTrail(t);
  await trail.batch('2026-01-01T10:30:00Z', 3);
  await trail.batch('2026-01-01T11:30:00Z', 4);
  await trail.batch('2026-01-02T10:30:00Z', 5);
  const leaves = await trail.leaves();
  const events = await trail.drop('2026-01-02T00:00:00.000Z', '2026-02-01T00:00:00Z');
  assert.deepEqual(events, [
    { event: 'dropped', institution: 'ours', leaves: 7, entries: 7, hours: 2 },
    { event: 'summary', institutions: 1 },
  ]);
  assert.deepEqual(await trail.notes(), [
    { client: 'operator', remark: 'retention', leaves: 7, before: '2026-01-02T00:00:00.000Z' },
  ]);
  assert.equal(await trail.count('access_entry'), 6, 'the last batch, and the note');
  assert.equal(await trail.count('leaf_pending'), 1, 'the note is a leaf too');
  assert.equal(await trail.count('access_segment'), 2, 'the hours of these');
  assert.deepEqual(await trail.leaves(), leaves);
  const { database, ours } = trail;
  const sql = {
    query: <Row>(text: string, values?: readonly unknown[]) => database.query<Row>('writer', text, values),
  };
  const batches = await sql.query<{ size: bigint; root: Buffer }>('select size, root from batch order by size');
  assert.deepEqual(
    batches.map(({ size }) => size),
    [3n, 7n, 12n],
  );
  for (const { size, root } of batches) {
    for (let index = 0; index < Number(size); index++) {
      const proof = await inclusionProof(index, Number(size), (wanted) =>
        readTiles(sql, { institution: ours.id, log: 2 }, wanted),
      );
      assert.ok(verifyInclusion({ index, size: Number(size), leaf: leaves[index] ?? Buffer.of(), root, proof }));
    }
  }
});

test('what is not anchored stays, and whatever comes after it', async (t) => {
  const trail = await startTrail(t);
  await trail.batch('2026-01-01T10:30:00Z', 2);
  await trail.batch('2026-01-01T11:30:00Z', 2, false);
  await trail.batch('2026-01-01T12:30:00Z', 2, false);
  await trail.database.query('writer', 'update batch set anchored_at = sealed_at where size = 6');
  await trail.drop('2026-01-31T00:00:00.000Z', '2026-02-01T00:00:00Z');
  assert.equal(await trail.count('access_entry'), 5, 'two batches, and the note');
  assert.deepEqual(
    (await trail.notes()).map((note) => (note as { leaves: number }).leaves),
    [2],
  );
  await trail.anchor();
  await trail.drop('2026-01-31T00:00:00.000Z', '2026-02-01T00:00:01Z');
  assert.equal(await trail.count('access_entry'), 2, 'both notes');
});

test('nothing is noted where nothing is old enough, and nothing twice', async (t) => {
  const trail = await startTrail(t);
  const NOTHING = [{ event: 'summary', institutions: 0 }];
  assert.deepEqual(await trail.drop('2026-01-31T00:00:00.000Z', '2026-02-01T00:00:00Z'), NOTHING);
  await trail.batch('2026-01-01T10:30:00Z', 2);
  assert.deepEqual(await trail.drop('2026-01-01T10:30:00.000Z', '2026-02-01T00:00:00Z'), NOTHING);
  assert.equal((await trail.drop('2026-01-02T00:00:00.000Z', '2026-02-01T00:00:00Z')).length, 2);
  assert.deepEqual(await trail.drop('2026-01-02T00:00:00.000Z', '2026-02-01T00:00:01Z'), NOTHING);
  const both = Array.from({ length: 2 }, () => trail.drop('2026-01-03T00:00:00.000Z', '2026-02-01T00:00:02Z'));
  await Promise.all(both);
  assert.equal((await trail.notes()).length, 1);
});

test('an earlier note goes with what came to its side, and the newest speaks for all', async (t) => {
  const trail = await startTrail(t);
  await trail.batch('2026-01-01T10:30:00Z', 2);
  await trail.drop('2026-01-02T00:00:00.000Z', '2026-02-01T00:00:00Z');
  await trail.batch('2026-02-01T10:30:00Z', 2);
  await trail.drop('2026-02-02T00:00:00.000Z', '2026-03-01T00:00:00Z');
  assert.deepEqual(
    (await trail.notes()).map((note) => (note as { leaves: number }).leaves),
    [5],
  );
  assert.equal(await trail.count('access_entry'), 1);
});

test('the key of an hour stays until its last entry is gone, and while one might still be written', async (t) => {
  const trail = await startTrail(t);
  await trail.batch('2026-01-01T10:10:00Z', 1);
  await trail.batch('2026-01-01T10:50:00Z', 1);
  await trail.drop('2026-01-01T10:30:00.000Z', '2026-01-01T10:55:00Z');
  // The note is of the same hour.
  assert.deepEqual([await trail.count('access_entry'), await trail.count('access_segment')], [2, 1]);
  await trail.sequence();
  await trail.anchor();
  await trail.drop('2026-01-01T11:00:00.000Z', '2026-01-01T11:30:00Z');
  assert.deepEqual([await trail.count('access_entry'), await trail.count('access_segment')], [1, 2]);
  await trail.drop('2026-01-01T11:00:00.000Z', '2026-01-01T12:30:00Z');
  assert.deepEqual([await trail.count('access_entry'), await trail.count('access_segment')], [1, 1]);
});

test('a crash after the note, or between two transactions, is made good by the next run', async (t) => {
  const trail = await startTrail(t);
  for (let batch = 0; batch < 5; batch++) await trail.batch(`2026-01-01T1${batch}:30:00Z`, 9);
  for (let failing = 0; failing < 3; failing++) {
    // The note is a transaction, and then the entries of 20 leaves each.
    let transactions = 1;
    const database: Database = {
      ...trail.database,
      async transaction(...work) {
        if (transactions-- === 0) throw new Error('the power is gone');
        return trail.database.transaction(...work);
      },
    };
    const run = trail.drop('2026-01-02T00:00:00.000Z', '2026-02-01T00:00:00Z', database);
    await assert.rejects(run, /the power is gone/);
    assert.equal((await trail.notes()).length, 1, 'noted before anything is gone');
    assert.equal(await trail.count('access_entry'), [46, 26, 6][failing]);
  }
  const [event] = await trail.drop('2026-01-02T00:00:00.000Z', '2026-02-01T00:00:00Z');
  assert.deepEqual(event, { event: 'dropped', institution: 'ours', leaves: 45, entries: 5, hours: 5 });
  assert.equal((await trail.notes()).length, 1);
});

test('an hour that lost its key does not get another one by being read', async (t) => {
  const trail = await startTrail(t);
  await trail.batch('2026-01-01T10:10:00Z', 1);
  await trail.database.query('writer', 'delete from access_segment');
  await assert.rejects(trail.notes(), { code: 'sealed-content-damaged' });
  assert.equal(await trail.count('access_segment'), 0);
});
