/** Two records that turn out to be of one patient (Patient.link): what becomes of their consents (DESIGN §7.6). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Consent, ConsentProvision, Parameters, Patient } from '@medplum/fhirtypes';
import { ANNA, BERT, cohort, consentOf, putCohort, recipient } from '../main-job/cohort.ts';
import { startWorld } from '../main-job/world.ts';
import type { FhirClient } from '../support/fhir-client.ts';

suite('a merged patient', async () => {
  const world = await startWorld();
  const hospital = world.as('hospital-a');
  const research = world.as('research-institute');
  await putCohort(hospital, cohort());
  const resultOf = (patient: string) => `Observation/hb-2021-${patient}`;
  const secretOf = (patient: string) => `Observation/secret-${patient}`;

  const reads = async (client: FhirClient, url: string) => (await client.get(url)).status;
  const put = async (client: FhirClient, url: string, body: object) => {
    const answer = await client.put(url, body);
    assert.ok(answer.status < 300, answer.text);
    return answer;
  };
  const found = async (client: FhirClient, patient: string) => {
    const answer = await client.get(`Observation?patient=${patient}&_summary=count`);
    return answer.json<{ total: number }>().total;
  };
  const consent = (id: string, patient: string, provision: ConsentProvision, dateTime = '2026-01-01') => {
    const { policyRule: _, ...one } = consentOf(patient, provision, { id, dateTime });
    return one;
  };
  const toResearch = { type: 'permit' as const, actor: [recipient('research-institute')] };
  const notSecret = {
    type: 'deny' as const,
    actor: [recipient('hospital-a'), recipient('research-institute')],
    securityLabel: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
    class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }],
    dataPeriod: { start: '2021-06-03', end: '2021-06-03' },
  };
  const anna = world.as(`patient:${ANNA}`);
  const bert = world.as(`patient:${BERT}`);
  await put(anna, 'Consent/of-anna', consent('of-anna', ANNA, toResearch));
  await put(bert, 'Consent/of-bert', consent('of-bert', BERT, notSecret));
  const beforeMerge = (await bert.get('Consent/of-bert')).json<Consent>().meta?.lastUpdated;

  const patientOf = async (id: string) => (await hospital.get(`Patient/${id}`)).json<Patient>();
  const link = async (more: Partial<Patient>) =>
    put(hospital, `Patient/${BERT}`, { ...(await patientOf(BERT)), ...more });
  const replacedBy = (type: 'replaced-by' | 'seealso') => [{ other: { reference: `Patient/${ANNA}` }, type }];

  test('is none yet where another record is only mentioned', async () => {
    await link({ link: replacedBy('seealso') });
    assert.equal(await reads(research, resultOf(ANNA)), 200);
    assert.equal(await reads(research, resultOf(BERT)), 404);
    assert.equal(await reads(hospital, secretOf(ANNA)), 200);
    assert.equal(await reads(hospital, secretOf(BERT)), 404);
  });

  test('is denied to whom either record was denied, and permitted to nobody', async () => {
    await link({ link: replacedBy('replaced-by') });
    assert.equal(await reads(research, resultOf(ANNA)), 404);
    assert.equal(await reads(research, `${resultOf(ANNA)}/_history/1`), 404);
    assert.equal(await found(research, ANNA), 0);
    assert.equal(await reads(hospital, secretOf(ANNA)), 404);
    assert.equal(await reads(hospital, secretOf(BERT)), 404);
    assert.equal(await reads(hospital, resultOf(ANNA)), 200, 'the custodian reads what nobody denied');
  });

  test('is explained so, and before the merge as it was', async () => {
    const explained = async (at: string, url = resultOf(ANNA), actor = 'research-institute') => {
      const answer = await anna.get(`${url}/$explain-access?actor=Organization/${actor}&purpose=TREAT${at}`);
      assert.equal(answer.status, 200, answer.text);
      const [record] = answer.json<Parameters>().parameter ?? [];
      const access = record?.part?.find(({ name }) => name === 'access')?.part ?? [];
      const value = (name: string) => access.find((one) => one.name === name);
      return `${value('permit')?.valueBoolean} ${value('basis')?.valueCode} ${value('consent')?.valueReference?.reference ?? ''}`;
    };
    assert.match(await explained(''), /^false default /);
    assert.match(
      await explained('', secretOf(ANNA), 'hospital-a'),
      /^false consent .*\/Consent\/of-bert\/_history\/1$/,
    );
    assert.match(await explained(`&at=${beforeMerge}`, secretOf(ANNA), 'hospital-a'), /^true custodian /);
  });

  test('is permitted again, as a whole, by what is consented afterwards', async () => {
    await put(anna, 'Consent/of-anna', consent('of-anna', ANNA, toResearch, '2026-02-01'));
    for (const patient of [ANNA, BERT]) {
      assert.equal(await reads(research, resultOf(patient)), 200);
      assert.equal(await reads(research, secretOf(patient)), 404);
      assert.ok((await found(research, patient)) > 0);
    }
    await put(hospital, 'Observation/later', {
      resourceType: 'Observation',
      id: 'later',
      status: 'final',
      code: { text: 'x' },
      effectiveDateTime: '2022-01-01',
      subject: { reference: `Patient/${BERT}` },
    });
    assert.equal(await reads(research, 'Observation/later'), 200);
  });

  test('stays confirmed when the Patient changes otherwise, and merged when it is deleted', async () => {
    await link({ gender: 'unknown' });
    assert.equal(await reads(research, resultOf(BERT)), 200);
    assert.equal((await hospital.delete(`Patient/${BERT}`)).status, 204);
    assert.equal(await reads(research, resultOf(BERT)), 200);
    assert.equal(await reads(hospital, secretOf(ANNA)), 404);
  });

  test('is two again when nothing says that they are one', async () => {
    await put(hospital, `Patient/${BERT}`, { resourceType: 'Patient', id: BERT });
    assert.equal(await reads(research, resultOf(ANNA)), 200);
    assert.equal(await reads(research, resultOf(BERT)), 404);
    assert.equal(await reads(hospital, secretOf(ANNA)), 200);
    assert.equal(await reads(hospital, secretOf(BERT)), 404);
  });
});
