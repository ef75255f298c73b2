/** Who may read a record and why, now and then; and past requests decided again. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bundle, Consent, Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { ANNA, cohort, consentOf, putCohort, recipient } from '../main-job/cohort.ts';
import { startWorld } from '../main-job/world.ts';
import type { FhirClient } from '../support/fhir-client.ts';

interface Access {
  readonly actor: string | undefined;
  readonly purpose: string | undefined;
  readonly permit: boolean;
  readonly basis: string;
  readonly consent: string | undefined;
  readonly provision: string | undefined;
}

suite('explaining access', async () => {
  const world = await startWorld();
  await putCohort(world.as('hospital-a'), cohort());
  const hospital = world.as('hospital-a');
  const patient = world.as(`patient:${ANNA}`);
  const research = world.as('research-institute');
  const record = `Observation/hb-2021-${ANNA}`;
  const institute = 'Organization/research-institute';

  const explained = async (client: FhirClient, query = '', target = record): Promise<readonly Access[]> => {
    const answer = await client.get(`${target}/$explain-access${query}`);
    assert.equal(answer.status, 200, answer.text);
    const records = answer.json<Parameters>().parameter ?? [];
    return records.flatMap(({ part = [] }) => part.filter(({ name }) => name === 'access').map(accessOf));
  };
  const instant = async () => (await hospital.get(record)).headers.date;

  const before = new Date(Date.now() - 60_000).toISOString();
  const granted = await patient.post('Consent', {
    ...consentOf(ANNA, { type: 'deny', provision: [{ type: 'permit', actor: [recipient('research-institute')] }] }),
  });
  assert.equal(granted.status, 201, granted.text);
  const consent = granted.json<Consent>();
  const consentUrl = `${world.node.url}/hospital-a/fhir/Consent/${consent.id}/_history/1`;
  const during = new Date(Date.parse(consent.meta?.lastUpdated ?? '') + 1).toISOString();
  assert.ok(await instant());
  assert.equal((await research.get(record)).status, 200);

  test('one question: the decision, the version of the consent, the provision', async () => {
    const [access] = await explained(patient, `?actor=${institute}&purpose=HRESCH`);
    assert.deepEqual(access, {
      actor: `${world.node.url}/research-institute/fhir/${institute}`,
      purpose: 'HRESCH',
      permit: true,
      basis: 'consent',
      consent: consentUrl,
      provision: 'Consent.provision.provision[0]',
    });
    const [denied] = await explained(patient, '?actor=Organization/hospital-b&purpose=TREAT');
    assert.partialDeepStrictEqual(denied, { permit: false, basis: 'consent', provision: 'Consent.policyRule' });
    const [own] = await explained(patient, '?actor=Organization/hospital-a&purpose=TREAT');
    assert.partialDeepStrictEqual(own, { permit: true, basis: 'custodian' });
    const [silent] = await explained(patient, '?actor=Organization/hospital-a');
    assert.partialDeepStrictEqual(silent, { permit: false });
  });

  test('who may: the institute for everything, the custodian for treatment, nobody else', async () => {
    const found = new Set(
      (await explained(patient)).map(({ actor, purpose }) => `${actor?.split('/').at(-1)} ${purpose}`),
    );
    const wanted = [undefined, 'TREAT', 'ETREAT', 'HRESCH', 'HPAYMT', 'HOPERAT', 'PUBHLTH'];
    assert.deepEqual(
      found,
      new Set([...wanted.map((purpose) => `research-institute ${purpose}`), 'hospital-a TREAT', 'hospital-a ETREAT']),
    );
  });

  test('the auditor of the custodian sees the same', async () => {
    assert.deepEqual(await explained(hospital), await explained(patient));
  });

  test('nobody else is told anything, whether it is there or not', async () => {
    const refused = await Promise.all(
      [record, 'Observation/nothing'].map((name) => research.get(`${name}/$explain-access`)),
    );
    assert.deepEqual(
      refused.map(({ status, text }) => [status, text]),
      refused.map(() => [404, refused[0]?.text]),
    );
    const other = await world.as('patient:bert-000001').get(`${record}/$explain-access`);
    assert.equal(other.status, 404);
  });

  test('at a time before the consent, and before the record', async () => {
    const answer = await patient.get(`${record}/$explain-access?actor=${institute}&purpose=HRESCH&at=${before}`);
    assert.equal(answer.status, 404, 'there was no record');
    assert.equal((await patient.get(`${record}/$explain-access?at=yesterday`)).status, 400);
    assert.equal((await patient.get(`${record}/$explain-access?purpose=FUN`)).status, 400);
    assert.equal((await patient.get(`${record}/$explain-access?actor=nobody`)).status, 400);
    assert.equal((await patient.get(`${record}/$explain-access?who=me`)).status, 400);
  });

  test('that somebody asked is in the patient’s own trail', async () => {
    await explained(hospital, `?actor=${institute}`);
    const trail = (await patient.get('AuditEvent?_count=100')).json<Bundle>();
    const asked = (trail.entry ?? []).filter(
      ({ resource }) =>
        resource?.resourceType === 'AuditEvent' &&
        resource.subtype?.[0]?.code === 'explain-access' &&
        resource.agent.some(({ who }) => who?.reference?.endsWith('/Organization/hospital-a')),
    );
    assert.ok(asked.length > 0);
  });

  test('after the withdrawal: then it was permitted, now it is not, and past reads are decided as they were', async () => {
    const withdrawn = await patient.put(`Consent/${consent.id}`, { ...consent, status: 'inactive' });
    assert.equal(withdrawn.status, 200, withdrawn.text);
    assert.equal((await research.get(record)).status, 404);
    const [now] = await explained(patient, `?actor=${institute}&purpose=HRESCH`);
    assert.partialDeepStrictEqual(now, { permit: false, basis: 'default' });
    const [then] = await explained(patient, `?actor=${institute}&purpose=HRESCH&at=${during}`);
    assert.partialDeepStrictEqual(then, { permit: true, basis: 'consent', consent: consentUrl });

    const trail = (await hospital.get(`AuditEvent?patient=${ANNA}&_count=100`)).json<Bundle>();
    const reads = (trail.entry ?? []).filter(
      ({ resource }) =>
        resource?.resourceType === 'AuditEvent' &&
        resource.outcome === '0' &&
        resource.subtype?.[0]?.code === 'read' &&
        resource.agent.some(({ who }) => who?.reference?.endsWith('/Organization/research-institute')),
    );
    assert.equal(reads.length, 1);
    const replayed = await explained(hospital, '', `AuditEvent/${reads[0]?.resource?.id}`);
    assert.deepEqual(replayed.length, 1);
    assert.partialDeepStrictEqual(replayed[0], { permit: true, basis: 'consent', consent: consentUrl });
  });
});

function accessOf({ part = [] }: ParametersParameter): Access {
  const found = new Map(part.map((one) => [one.name, one]));
  return {
    actor: found.get('actor')?.valueReference?.reference,
    purpose: found.get('purpose')?.valueCode,
    permit: found.get('permit')?.valueBoolean === true,
    basis: found.get('basis')?.valueCode ?? '',
    consent: found.get('consent')?.valueReference?.reference,
    provision: found.get('provision')?.valueString,
  };
}
