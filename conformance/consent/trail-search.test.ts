/** Who, what and with what outcome: the access trail by agent, entity, outcome and action. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { AuditEvent, Bundle } from '@medplum/fhirtypes';
import { ANNA, BERT, cohort, consentOf, putCohort, recipient } from '../main-job/cohort.ts';
import { startWorld } from '../main-job/world.ts';
import type { FhirClient } from '../support/fhir-client.ts';

suite('searching the access trail', async () => {
  const world = await startWorld();
  const hospital = world.as('hospital-a');
  await putCohort(hospital, cohort());
  const research = world.as('research-institute');
  const patient = world.as(`patient:${ANNA}`);
  await patient.post('Consent', consentOf(ANNA, { type: 'permit', actor: [recipient('research-institute')] }));
  const record = `Observation/hb-2021-${ANNA}`;
  for (const path of [record, record, `Observation/hb-2019-${ANNA}`, `Observation/hb-2021-${BERT}`])
    await research.get(path);

  const events = async (query: string, client: FhirClient = hospital): Promise<readonly AuditEvent[]> => {
    const answer = await client.get(`AuditEvent?${query}`);
    assert.equal(answer.status, 200, answer.text);
    return (answer.json<Bundle<AuditEvent>>().entry ?? []).flatMap(({ resource }) => resource ?? []);
  };
  const institute = `${world.node.url}/research-institute/fhir/Organization/research-institute`;
  const reads = 'subtype=read&_count=100';

  test('by agent: the institution, however it is written', async () => {
    for (const agent of [institute, 'Organization/research-institute', 'research-institute']) {
      const found = await events(`agent=${agent}&${reads}`);
      assert.equal(found.length, 4, agent);
      assert.ok(found.every((event) => event.agent.some(({ who }) => who?.reference === institute)));
    }
    assert.equal((await events(`agent=Organization/hospital-b&${reads}`)).length, 0);
  });

  test('by agent: the client', async () => {
    const found = await events(`agent:identifier=urn:ietf:rfc:6749:client_id|research-institute&${reads}`);
    assert.equal(found.length, 4);
  });

  test('by entity: the record that was shown, the patient concerned', async () => {
    assert.equal((await events(`entity=${record}/_history/1&${reads}`)).length, 2);
    assert.equal((await events(`entity=${record}&${reads}`)).length, 2);
    assert.equal((await events(`entity=Patient/${ANNA}&${reads}`)).length, 3);
    assert.equal((await events(`entity=Observation/nothing&${reads}`)).length, 0);
  });

  test('by outcome', async () => {
    const refused = await events(`agent=${institute}&outcome=4`);
    assert.equal(refused.length, 1, 'what no consent permits');
    assert.equal((await events(`agent=${institute}&outcome=0&${reads}`)).length, 3);
    assert.equal((await events(`agent=${institute}&outcome:not=0&${reads}`)).length, 1);
  });

  test('together with patient, time and action', async () => {
    assert.equal((await events(`patient=${ANNA}&agent=${institute}&action=R&date=ge2020`)).length, 3);
    assert.equal((await events(`patient=${ANNA}&agent=${institute}&action=C`)).length, 0);
    assert.equal((await events(`patient=${BERT}&agent=${institute}`)).length, 0);
    assert.equal((await events(`agent=${institute}&date=lt2020`)).length, 0);
  });

  test('page by page', async () => {
    const ids: (string | undefined)[] = [];
    let next: string | undefined = `AuditEvent?agent=${institute}&subtype=read&_count=1`;
    while (next !== undefined) {
      const page: Bundle<AuditEvent> = (await hospital.get(next)).json<Bundle<AuditEvent>>();
      assert.ok((page.entry?.length ?? 0) <= 1);
      ids.push(...(page.entry ?? []).map(({ resource }) => resource?.id));
      next = page.link?.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\//, '');
    }
    assert.equal(new Set(ids).size, 4);
  });

  test('the patient finds who read, and only about themselves', async () => {
    assert.equal((await events(`agent=${institute}&${reads}`, patient)).length, 3);
    assert.equal((await events(`agent=${institute}&${reads}`, world.as(`patient:${BERT}`))).length, 0);
  });
});
