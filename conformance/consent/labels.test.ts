/** Who may lower a confidentiality label (DESIGN §7), through HTTP. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bundle, Observation, OperationOutcome } from '@medplum/fhirtypes';
import { startWorld } from '../main-job/world.ts';
import { until } from '../support/until.ts';

suite('a confidentiality label', async () => {
  const world = await startWorld();
  const hospital = world.as('hospital-a');
  const doctor = world.as('practitioner:steward');
  const labelled = (code?: string): Observation => ({
    resourceType: 'Observation',
    id: 'o',
    ...(code && { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code }] } }),
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/p' },
  });
  const label = async (client: typeof hospital, code?: string) =>
    (await client.put('Observation/o', labelled(code))).status;
  const role = (active: boolean) => ({
    resourceType: 'PractitionerRole',
    id: 'stewardship',
    active,
    practitioner: { reference: 'Practitioner/steward' },
    code: [{ coding: [{ system: 'https://medseal.org/fhir/CodeSystem/staff-role', code: 'label-steward' }] }],
  });
  assert.equal(await label(hospital, 'N'), 201);

  test('is raised by whoever writes the record', async () => {
    assert.equal(await label(hospital, 'R'), 200);
  });

  test('is lowered neither by the hospital’s systems nor by a doctor, alone or in a Bundle', async () => {
    for (const client of [hospital, doctor]) {
      assert.equal(await label(client, 'N'), 403);
      assert.equal(await label(client), 403);
    }
    const entry = [{ resource: labelled('U'), request: { method: 'PUT', url: 'Observation/o' } }];
    const answer = await hospital.post('', { resourceType: 'Bundle', type: 'transaction', entry });
    assert.equal(answer.status, 403);
    assert.equal(answer.json<OperationOutcome>().issue[0]?.code, 'forbidden');
    const batch = await hospital.post('', { resourceType: 'Bundle', type: 'batch', entry });
    assert.equal(batch.json<Bundle>().entry?.[0]?.response?.status, '403');
    assert.equal((await hospital.get('Observation/o')).json<Observation>().meta?.security?.[0]?.code, 'R');
  });

  test('is lowered by a label steward, as long as the role is active', async () => {
    assert.ok((await hospital.put('PractitionerRole/stewardship', role(true))).status < 300);
    await until('the role is known', async () => (await label(doctor, 'N')) === 200);
    assert.equal(await label(hospital, 'L'), 403, 'still not by others');
    assert.ok((await hospital.put('PractitionerRole/stewardship', role(false))).status < 300);
    await until('the role is over', async () => {
      // What was lowered once more is raised again: it would not be lowered by the same another time.
      assert.equal(await label(hospital, 'N'), 200);
      return (await label(doctor, 'U')) === 403;
    });
  });
});
