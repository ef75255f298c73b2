/** A write and the entry of the access trail that tells of it are one transaction: neither is ever there alone. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { Answer } from '../support/fhir-client.ts';
import { startTestNode } from '../support/test-node.ts';
import { clientOf, observation, patient } from './node-records.ts';
import { onRecords } from './records-database.ts';

interface Newest {
  readonly entries: number;
  /** Whether the newest entry and the newest version were written by one transaction. */
  readonly together: boolean;
}

suite('a write and its access entry', async () => {
  const node = await startTestNode({ after: (run) => after(run as () => Promise<void>) });
  const hospital = clientOf(node, 'hospital-a');
  const newest = async (): Promise<Newest> => {
    const [row] = await onRecords<Newest>(
      node,
      `select (select count(*)::int from access_entry) as entries,
         (select xmin::text from access_entry order by id desc limit 1)
         = (select xmin::text from resource_version order by id desc limit 1) as together`,
    );
    assert.ok(row !== undefined);
    return row;
  };
  /** Sends a request, and returns whether its one entry of the trail was written with its versions. */
  async function entryOf(send: () => Promise<Answer>, status: number): Promise<boolean> {
    const before = await newest();
    assert.equal((await send()).status, status);
    const after = await newest();
    assert.equal(after.entries, before.entries + 1, 'one entry for one request');
    return after.together;
  }
  const post = (type: string, ...entry: readonly object[]) =>
    hospital.post('', { resourceType: 'Bundle', type, entry });
  const creation = { resource: observation('x', 'Patient/p', 3), request: { method: 'POST', url: 'Observation' } };
  const reading = { request: { method: 'GET', url: 'Observation/o' } };

  test('are one transaction, of a single write and of a Bundle that only writes', async () => {
    const { id: _, ...created } = observation('o', 'Patient/p', 1) as { id: string };
    assert.ok(await entryOf(() => hospital.put('Patient/p', patient('p', '一')), 201));
    assert.ok(await entryOf(() => hospital.post('Observation', created), 201));
    assert.ok(await entryOf(() => hospital.put('Observation/o', observation('o', 'Patient/p', 1)), 201));
    assert.ok(await entryOf(() => hospital.put('Observation/o', observation('o', 'Patient/p', 2)), 200));
    assert.ok(await entryOf(() => post('transaction', creation, creation), 200));
    assert.ok(await entryOf(() => hospital.delete('Observation/o'), 204));
  });

  test('are two where the request goes on, and one entry all the same', async () => {
    await entryOf(() => hospital.put('Observation/o', observation('o', 'Patient/p', 4)), 201);
    assert.equal(await entryOf(() => post('transaction', creation, reading), 200), false);
    assert.equal(await entryOf(() => post('batch', creation, creation), 200), false);
  });

  test('a write that is refused leaves the entry of its refusal', async () => {
    const stale = { 'If-Match': 'W/"99"' };
    assert.equal(
      await entryOf(() => hospital.put('Observation/o', observation('o', 'Patient/p', 5), stale), 412),
      false,
    );
    assert.equal(
      await entryOf(() => hospital.put('Observation/o', { resourceType: 'Observation', id: 'o' }), 422),
      false,
    );
  });

  test('a repeated write that changes nothing is told too', async () => {
    assert.equal(await entryOf(() => hospital.put('Observation/o', observation('o', 'Patient/p', 4)), 200), false);
  });
});
