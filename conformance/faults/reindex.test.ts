/** Indexing by a custom search parameter while servers die, others write, and somebody restores what was there. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bundle } from '@medplum/fhirtypes';
import { startWorld, worldOf } from '../main-job/world.ts';
import type { FhirClient } from '../support/fhir-client.ts';
import { putParameter, reindexStatus, searchParameter, untilIndexed } from '../support/search-parameters.ts';
import { startTestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';

const PATIENTS = 900;
const AT_ONCE = 300;

/** Every third one is married. */
async function putPatients(client: FhirClient): Promise<void> {
  for (let from = 0; from < PATIENTS; from += AT_ONCE) {
    const entry = Array.from({ length: AT_ONCE }, (_, index) => patientEntry(from + index));
    const answer = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
  }
}

function patientEntry(number: number) {
  const maritalStatus = { coding: [{ code: number % 3 === 0 ? 'M' : 'S' }] };
  return {
    resource: { resourceType: 'Patient', id: `p-${number}`, maritalStatus },
    request: { method: 'PUT', url: `Patient/p-${number}` },
  };
}

async function countOf(client: FhirClient, question: string): Promise<number | undefined> {
  const answer = await client.get(`${question}&_summary=count`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json<Bundle>().total;
}

suite('indexing by a custom search parameter', async () => {
  const world = await startWorld();
  const { node } = world;
  const hospital = world.as('hospital-a');
  await putPatients(hospital);

  test('goes on where it was after kill -9, and is refused to searchers until it is done', async () => {
    await putParameter(hospital, searchParameter('married', {}));
    const refused = await hospital.get('Patient?married=M');
    assert.equal(refused.status, 409, refused.text);
    assert.match(refused.text, /search-parameter-indexing/);
    assert.match(refused.text, /reindex-status/);
    assert.deepEqual((await reindexStatus(hospital)).states, { married: 'indexing' });
    let before = 0;
    await until('some pages are done', async () => {
      const [run] = (await reindexStatus(hospital)).runs;
      before = run?.done ?? 0;
      return before > 0;
    });
    await node.kill9();
    const [stopped] = await world.rows<{ done: string; finished_at: Date | null }>('select * from reindex_run');
    assert.equal(stopped?.finished_at, null, 'killed on the way');
    assert.ok(Number(stopped.done) >= before && Number(stopped.done) < PATIENTS, `${stopped.done} done`);
    await node.restart();
    await untilIndexed(hospital);
    assert.equal(await countOf(hospital, 'Patient?married=M'), PATIENTS / 3);
    const [finished] = await world.rows<{ done: string; total: string }>('select * from reindex_run');
    assert.equal(Number(finished?.done), PATIENTS, 'nothing twice');
    assert.equal(finished?.total, finished?.done);
  });

  test('loses nothing that is written meanwhile', async () => {
    await putParameter(hospital, searchParameter('single', {}));
    const divorced = { coding: [{ code: 'D' }] };
    const written: string[] = [];
    for (let number = 0; (await reindexStatus(hospital)).states.single === 'indexing'; number += 7) {
      const id = `p-${number % PATIENTS}`;
      const answer = await hospital.put(`Patient/${id}`, { resourceType: 'Patient', id, maritalStatus: divorced });
      assert.ok(answer.status === 200, answer.text);
      written.push(id);
    }
    assert.ok(written.length > 0);
    assert.equal(await countOf(hospital, 'Patient?single=D'), new Set(written).size);
    const [M, S] = [await countOf(hospital, 'Patient?single=M'), await countOf(hospital, 'Patient?single=S')];
    assert.equal((M ?? 0) + (S ?? 0), PATIENTS - new Set(written).size);
    assert.equal(await countOf(hospital, 'Patient?single:missing=true'), 0);
  });

  test('is told to the other servers, and what one of them wrote before it knew is indexed after all', async (t) => {
    const replica = await startTestNode(t, { replicaOf: node });
    const there = worldOf(replica).as('hospital-a');
    assert.equal(await countOf(there, 'Patient?married:missing=false'), PATIENTS);
    await putParameter(hospital, searchParameter('third', {}));
    await until('the other one knows', async () => (await reindexStatus(there)).states.third === 'active', 60_000);
    assert.equal(await countOf(there, 'Patient?third:missing=false'), PATIENTS);
    await hospital.put('Patient/late', {
      resourceType: 'Patient',
      id: 'late',
      maritalStatus: { coding: [{ code: 'L' }] },
    });
    // As if its writer had known no custom parameter.
    await world.rows(`update resource_current set tokens = tokens[1:1], traits = '{}', behind = true
      where version_id = (select max(id) from resource_version where type = 'Patient')`);
    await until('it is found', async () => (await countOf(there, 'Patient?third=L')) === 1);
    const behind = await world.rows('select from resource_current where behind');
    assert.equal(behind.length, 0);
  });
});
