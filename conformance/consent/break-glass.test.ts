/** Breaking the glass: one patient, for a while, written down, told, and reviewed. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { AuditEvent, Bundle, Communication } from '@medplum/fhirtypes';
import { administer, connect } from '../../src/cli/connection.ts';
import { type FhirClient, fhirClient } from '../support/fhir-client.ts';
import { startTestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { deny, forPurpose, optIn, optOut } from './cases/kit.ts';
import { createCaseRunner } from './cases/runner.ts';

interface Listed {
  readonly emergencies: readonly {
    readonly id: string;
    readonly practitioner: string;
    readonly patient: string;
    readonly reason: string;
    readonly review?: { readonly outcome: string };
  }[];
}

suite('breaking the glass', async () => {
  const node = await startTestNode({ after: (run) => after(run as () => Promise<void>) });
  const runner = await createCaseRunner(node);
  const base = `${node.url}/hospital-a/fhir`;
  const nothing = { by: 'Dr B', sees: '' } as const;
  const setUp = (id: string, consents: Parameters<typeof runner.run>[0]['consents']) =>
    runner.run({ name: id, why: '', consents, asks: [nothing] }, id);
  await setUp('closed', [optOut()]);
  await setUp('other', [optOut()]);
  await setUp('no-emergency', [optOut(), optIn(deny(forPurpose('ETREAT')))]);
  const doctor = await runner.client('Dr B', 'closed');
  const reason = 'Unconscious after an accident';

  const glass = (client: FhirClient, id: string, given: object = { reason, minutes: 30 }) => {
    const { reason: text, minutes } = given as { reason?: string; minutes?: number };
    return client.post(`Patient/${id}/$break-glass`, {
      resourceType: 'Parameters',
      parameter: [
        { name: 'reason', valueString: text },
        { name: 'minutes', valueInteger: minutes },
      ],
    });
  };
  const broken = async (id: string) => {
    const answer = await glass(doctor, id);
    assert.equal(answer.status, 200, answer.text);
    const { access_token: token, ...told } = answer.json<{ access_token: string }>();
    assert.equal(answer.headers['cache-control'], 'no-store');
    return { told, client: fhirClient(base, () => Promise.resolve(token)) };
  };
  const status = async (client: FhirClient, path: string) => (await client.get(path)).status;

  const { client: opened, told } = await broken('closed');

  test('the token is for this patient, for as long as was asked', () => {
    assert.deepEqual(told, { token_type: 'Bearer', expires_in: 1800, scope: 'user/*.rs', patient: 'closed' });
  });

  test('opens what the patient’s opt-out closes, of this patient alone', async () => {
    assert.deepEqual(
      await Promise.all(
        ['Patient/closed', 'Observation/closed-hiv', 'Condition/closed-psych'].map((path) => status(opened, path)),
      ),
      [200, 200, 200],
    );
    assert.deepEqual(
      await Promise.all(['Patient/other', 'Observation/other-hb'].map((path) => status(opened, path))),
      [404, 404],
    );
    const found = (await opened.get('Observation?_count=100')).json<Bundle>();
    assert.ok((found.entry ?? []).every(({ resource }) => resource?.id?.startsWith('closed-')));
    assert.equal(found.entry?.length, 3);
    assert.equal(await status(doctor, 'Patient/closed'), 404, 'the doctor’s own token opens nothing');
  });

  test('writes nothing, and breaks no further glass', async () => {
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: 'Patient/closed' },
    };
    assert.equal((await opened.post('Observation', observation)).status, 403);
    assert.equal((await glass(opened, 'other')).status, 403);
  });

  test('a deny that names emergencies holds', async () => {
    const { client } = await broken('no-emergency');
    assert.equal(await status(client, 'Patient/no-emergency'), 404);
    assert.equal(await status(client, 'Observation/no-emergency-hb'), 404);
  });

  test('whether there is such a patient is not told', async () => {
    const { told: answer, client } = await broken('nobody');
    assert.deepEqual(answer, { ...told, patient: 'nobody' });
    assert.equal(await status(client, 'Patient/nobody'), 404);
  });

  test('only a practitioner, for a reason, for a while', async () => {
    assert.equal((await glass(await runner.client('B', 'closed'), 'closed')).status, 403);
    assert.equal((await glass(await runner.client('self', 'closed'), 'closed')).status, 403);
    for (const given of [
      { reason },
      { minutes: 5 },
      { reason: 'short', minutes: 5 },
      { reason, minutes: 0 },
      { reason, minutes: 241 },
    ]) {
      assert.equal((await glass(doctor, 'closed', given)).status, 400, JSON.stringify(given));
    }
    for (const parameter of [[null], ['reason'], [{ name: 'reason', valueString: 1 }], {}]) {
      const answer = await doctor.post('Patient/closed/$break-glass', { resourceType: 'Parameters', parameter });
      assert.equal(answer.status, 400, JSON.stringify(parameter));
    }
  });

  test('the patient is told, and finds it in the trail', async () => {
    const patient = await runner.client('self', 'closed');
    const notices = (await patient.get('Communication?recipient=Patient/closed')).json<Bundle<Communication>>();
    assert.equal(notices.entry?.length, 1);
    const text = JSON.stringify(notices.entry?.[0]?.resource);
    assert.ok(text.includes(reason) && text.includes('/hospital-b/fhir/Practitioner/dr-b'));
    const trail = (await patient.get('AuditEvent?patient=closed&_count=100')).json<Bundle<AuditEvent>>();
    const events = (trail.entry ?? []).map(({ resource }) => resource as AuditEvent);
    const breaking = events.filter(({ subtype }) => subtype?.[0]?.code === 'break-glass');
    assert.equal(breaking.length, 1);
    assert.ok(JSON.stringify(breaking[0]).includes(reason));
    const reads = events.filter(({ purposeOfEvent }) => purposeOfEvent?.[0]?.coding?.[0]?.code === 'ETREAT');
    assert.ok(reads.length >= 3, `${reads.length}`);
  });

  test('an administrator reviews it; what is unjustified is over', async () => {
    const connection = connect(node.dataDirectory);
    const list = async () => (await administer(connection, 'GET', '/admin/emergencies')) as Listed;
    const all = (await list()).emergencies;
    assert.equal(all.length, 3);
    const found = all.find(({ patient }) => patient === 'hospital-a/Patient/closed');
    assert.ok(found !== undefined);
    assert.deepEqual(
      [found.practitioner, found.reason, found.review],
      ['hospital-b/Practitioner/dr-b', reason, undefined],
    );
    const review = { outcome: 'unjustified', note: 'The patient was awake' };
    await administer(connection, 'POST', `/admin/emergencies/${found.id}`, review);
    await until('the token is taken back', async () => (await status(opened, 'Patient/closed')) === 401);
    await assert.rejects(administer(connection, 'POST', `/admin/emergencies/${found.id}`, review));
    const after = (await list()).emergencies;
    assert.equal(after.find(({ id }) => id === found.id)?.review?.outcome, 'unjustified');
    const [other] = all.filter(({ id }) => id !== found.id);
    await administer(connection, 'POST', `/admin/emergencies/${other?.id}`, { outcome: 'justified', note: 'It was' });
    const queue = (await list()).emergencies.map(({ review: one }) => one !== undefined);
    assert.deepEqual(queue, [false, true, true], 'what waits comes first');
  });
});
