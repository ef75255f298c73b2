/** Who writes a Consent: the patient, a representative as far as they are let, staff with a witnessed paper. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { Bundle, Consent, Provenance } from '@medplum/fhirtypes';
import { startTestNode } from '../support/test-node.ts';
import { by, concept, doing, permit, root, TERMINOLOGY, to } from './cases/kit.ts';
import { createCaseRunner } from './cases/runner.ts';

suite('delegation', async () => {
  const node = await startTestNode({ after: (run) => after(run as () => Promise<void>) });
  const runner = await createCaseRunner(node);
  const setUp = (id: string, ...consents: readonly Partial<Consent>[]) =>
    runner.run({ name: id, why: '', consents, asks: [] }, id);
  await setUp('whole', root(permit(by('HPOWATT', 'RelatedPerson/whole-father'))));
  await setUp('reader', root(permit(by('HPOWATT', 'RelatedPerson/reader-father'), doing('access'))));
  await setUp('none');

  const consent = (id: string, provision: Consent['provision'], more: Partial<Consent> = {}): Consent => ({
    resourceType: 'Consent',
    status: 'active',
    scope: concept(`${TERMINOLOGY}/consentscope`, 'patient-privacy'),
    category: [concept('http://loinc.org', '59284-0')],
    patient: { reference: `Patient/${id}` },
    ...(provision && { provision }),
    ...more,
  });
  const toB = permit(to('hospital-b'));

  test('a representative consents for the patient, changes it and withdraws it', async () => {
    const father = await runner.client('father', 'whole');
    const answer = await father.post('Consent', consent('whole', toB));
    assert.equal(answer.status, 201, answer.text);
    const written = answer.json<Consent>();
    const hospitalB = await runner.client('B', 'whole');
    assert.equal((await hospitalB.get('Observation/whole-hb')).status, 200);
    const url = `Consent/${written.id}`;
    assert.equal((await father.put(url, { ...written, status: 'inactive' })).status, 200);
    assert.equal((await hospitalB.get('Observation/whole-hb')).status, 404);
    assert.equal((await father.delete(url)).status, 204);
  });

  test('but lets nobody act for the patient, not even in a draft', async () => {
    const father = await runner.client('father', 'whole');
    const given = permit(by('HPOWATT', 'RelatedPerson/whole-former'));
    assert.equal((await father.post('Consent', consent('whole', given))).status, 403);
    assert.equal((await father.post('Consent', consent('whole', given, { status: 'draft' }))).status, 403);
    assert.equal((await father.delete('Consent/whole-consent-0')).status, 403, 'nor ends what lets them');
    assert.equal((await father.post('Consent', consent('none', toB))).status, 403, 'nor for somebody else');
    assert.equal(
      (await father.post('Observation', { resourceType: 'Observation' })).status,
      403,
      'and writes nothing else',
    );
  });

  test('who may only read, or is not let act at all, writes none', async () => {
    const reader = await runner.client('father', 'reader');
    assert.equal((await reader.get('Observation/reader-hb')).status, 200);
    assert.equal((await reader.post('Consent', consent('reader', toB))).status, 403);
    assert.equal((await (await runner.client('father', 'none')).post('Consent', consent('none', toB))).status, 403);
  });

  test('a withdrawn delegation ends at once', async () => {
    await setUp('ending', root(permit(by('HPOWATT', 'RelatedPerson/ending-father'))));
    const father = await runner.client('father', 'ending');
    assert.equal((await father.get('Patient/ending')).status, 200);
    const patient = await runner.client('self', 'ending');
    assert.equal((await patient.delete('Consent/ending-consent-0')).status, 204);
    assert.equal((await father.get('Patient/ending')).status, 404);
    assert.equal((await father.post('Consent', consent('ending', toB))).status, 403);
  });

  test('a paper that staff enter must be witnessed, and its Provenance says so', async () => {
    const doctor = await runner.client('Dr A', 'none');
    assert.equal((await doctor.post('Consent', consent('none', toB))).status, 403);
    const source = { sourceAttachment: { title: 'Signed on paper' } };
    assert.equal((await doctor.post('Consent', consent('none', toB, source))).status, 403);
    const verification = [{ verified: true, verificationDate: '2026-01-01' }];
    const answer = await doctor.post('Consent', consent('none', toB, { ...source, verification }));
    assert.equal(answer.status, 201, answer.text);
    const found = (await doctor.get(`Provenance?target=Consent/${answer.json<Consent>().id}`)).json<
      Bundle<Provenance>
    >();
    const agents = (found.entry?.[0]?.resource?.agent ?? []).map(({ type, who }) => [
      type?.coding?.[0]?.code,
      who.reference,
    ]);
    assert.deepEqual(agents, [
      ['enterer', 'Practitioner/dr-a'],
      ['informant', 'Patient/none'],
      ['author', 'Practitioner/dr-a'],
    ]);
    assert.equal((await (await runner.client('A', 'none')).post('Consent', consent('none', toB))).status, 403);
  });
});
