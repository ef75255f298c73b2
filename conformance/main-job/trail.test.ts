/** Who wrote what and who read what: Provenance and AuditEvent. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { AuditEvent, Bundle, Consent, Provenance } from '@medplum/fhirtypes';
import type { Answer, FhirClient } from '../support/fhir-client.ts';
import { until } from '../support/until.ts';
import { ANNA, BERT, cohort, consentOf, putCohort, recipient } from './cohort.ts';
import { startWorld } from './world.ts';

const ANCHOR = 'https://medseal.org/fhir/StructureDefinition/anchor';
const RECORD = `Observation/hb-2021-${ANNA}`;

suite('trail', async () => {
  const world = await startWorld();
  const hospital = world.as('hospital-a');
  await putCohort(hospital, cohort());

  suite('Provenance', () => {
    test('one for each patient of a request, and one for what is of no patient, none about Provenance', async () => {
      const about = (id: string) => ({ reference: `Patient/${id}` });
      const entry = [
        { resourceType: 'Observation', status: 'final', code: { text: 'a' }, subject: about(ANNA) },
        { resourceType: 'Observation', status: 'final', code: { text: 'b' }, subject: about(ANNA) },
        { resourceType: 'Observation', status: 'final', code: { text: 'c' }, subject: about(BERT) },
        { resourceType: 'Organization', name: 'd' },
        {
          resourceType: 'Appointment',
          status: 'booked',
          participant: [ANNA, BERT].map((id) => ({ actor: about(id), status: 'accepted' })),
        },
        {
          resourceType: 'Provenance',
          target: [about(ANNA)],
          recorded: '2026-01-01T00:00:00Z',
          agent: [{ who: { display: 'them' } }],
        },
      ].map((resource) => ({ resource, request: { method: 'POST', url: resource.resourceType } }));
      const answer = await hospital.post('', { resourceType: 'Bundle', type: 'transaction', entry });
      const [a = '', b = '', c = '', d = '', e = '', f = ''] = (answer.json<Bundle>().entry ?? []).map(
        ({ response }) => response?.location ?? '',
      );
      const targets = async (query: string) =>
        (await provenance(hospital, query)).map(({ target }) => target.map(({ reference }) => reference));
      assert.deepEqual(await targets(`target=${a}`), [[a, b, e]]);
      assert.deepEqual(await targets(`target=${c}`), [[c, e]]);
      assert.deepEqual(await targets(`target=${d}`), [[d]]);
      assert.deepEqual(
        (await targets(`target=${e}`)).toSorted(),
        [
          [a, b, e],
          [c, e],
        ].toSorted(),
      );
      assert.deepEqual(await targets(`target=${f}`), [], 'none about Provenance');
      assert.deepEqual(await targets(`target=${a.replace(/\/_history.*/, '')}`), [[a, b, e]], 'by the resource too');
    });

    test('says who, when, for whom and what, and each version has its own', async () => {
      const path = 'Observation/told';
      const resource = {
        resourceType: 'Observation',
        id: 'told',
        status: 'final',
        code: { text: 'a' },
        subject: { reference: `Patient/${ANNA}` },
      };
      await hospital.put(path, resource);
      await hospital.put(path, { ...resource, status: 'amended' });
      await hospital.delete(path);
      const found = await provenance(hospital, `target=${path}`);
      assert.deepEqual(
        found.map(({ target, activity }) => [target[0]?.reference, activity?.coding?.[0]?.code]),
        [
          [`${path}/_history/1`, 'UPDATE'],
          [`${path}/_history/2`, 'UPDATE'],
          [`${path}/_history/3`, 'DELETE'],
        ],
      );
      for (const { agent, recorded, meta } of found) {
        assert.equal(agent[0]?.who.identifier?.value, 'hospital-a');
        assert.equal(agent[0]?.onBehalfOf?.reference, 'Organization/hospital-a');
        assert.equal(recorded, meta?.lastUpdated);
      }
      assert.deepEqual(
        found.map(({ meta }) => meta?.versionId),
        ['1', '1', '1'],
      );
    });

    test('names the practitioner or the patient who wrote', async () => {
      await hospital.put('Practitioner/doctor', { resourceType: 'Practitioner', id: 'doctor' });
      const visit = await world.as('practitioner:doctor').post('Observation', {
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        subject: { reference: `Patient/${BERT}` },
      });
      const [byDoctor] = await provenance(hospital, `target=Observation/${visit.json<{ id: string }>().id}`);
      assert.equal(byDoctor?.agent[0]?.who.reference, 'Practitioner/doctor');
      const consent = await world
        .as(`patient:${BERT}`)
        .post('Consent', consentOf(BERT, { type: 'permit', actor: [recipient('hospital-b')] }));
      const { id } = consent.json<Consent>();
      const [byPatient] = await provenance(hospital, `target=Consent/${id}`);
      assert.equal(byPatient?.agent[0]?.who.reference, `Patient/${BERT}`);
      await world.as(`patient:${BERT}`).delete(`Consent/${id}`);
    });

    test('its anchor is told when it is read, and changes neither ETag nor what a condition means', async () => {
      await hospital.put('Patient/anchored', { resourceType: 'Patient', id: 'anchored' });
      const [first] = await provenance(hospital, 'target=Patient/anchored');
      const path = `Provenance/${first?.id}`;
      await until(
        'it is anchored',
        async () => anchorOf((await hospital.get(path)).json<Provenance>())[0] === 'anchored',
      );
      const read = await hospital.get(path);
      const [, transaction = '', block = '', time = ''] = anchorOf(read.json<Provenance>());
      assert.match(transaction, /^[0-9a-f]{64}$/);
      assert.match(block, /^\d+$/);
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
      assert.equal(read.headers.etag, 'W/"1"');
      assert.equal((await hospital.get(`${path}/_history/1`)).text, read.text);
      assert.equal((await hospital.get(path, { 'if-none-match': 'W/"1"' })).status, 304);
      const [searched] = await provenance(hospital, 'target=Patient/anchored');
      assert.deepEqual(searched, read.json<Provenance>());
    });

    test('an anchor that a client claims is not told', async () => {
      const claimed = {
        url: ANCHOR,
        extension: [
          { url: 'state', valueCode: 'anchored' },
          { url: 'transaction', valueString: 'forged' },
        ],
      };
      const resource = {
        resourceType: 'Provenance',
        extension: [claimed, { url: 'urn:other', valueDecimal: 1 }],
        target: [{ reference: `Patient/${ANNA}` }],
        recorded: '2026-01-01T00:00:00Z',
        agent: [{ who: { display: 'them' } }],
      };
      const { id } = (await hospital.post('Provenance', resource)).json<Provenance>();
      const answer = await hospital.get(`Provenance/${id}`);
      assert.ok(!answer.text.includes('forged') && answer.text.includes('urn:other'), answer.text);
    });
  });

  suite('AuditEvent', () => {
    test('a patient sees who read their record, from where and for what, and nobody else’s', async () => {
      const patient = world.as(`patient:${ANNA}`);
      const consent = (
        await patient.post('Consent', consentOf(ANNA, { type: 'permit', actor: [recipient('hospital-b')] }))
      ).json<Consent>();
      const reads = [
        await hospital.get(RECORD),
        await world.as('hospital-b').get(RECORD),
        await world.asAtUnion('hospital-b').get(`Observation?patient=${ANNA}&code=7917-8`),
        await world.as('hospital-b').get(`${RECORD}/_history`),
      ];
      await hospital.get(`Patient/${BERT}`);
      const events = await audit(patient, `patient=${ANNA}&_count=100`);
      for (const read of reads) {
        const event = eventOf(events, read);
        assert.ok(event !== undefined, 'it is there');
        assert.ok(
          (event.entity ?? []).some(({ what }) => what?.reference?.endsWith(`/hospital-a/fhir/Patient/${ANNA}`)),
        );
      }
      const theirs = eventOf(events, reads[1] as Answer);
      assert.deepEqual(
        theirs?.agent.map(({ who }) => who?.identifier?.value ?? who?.reference),
        ['hospital-b', `${world.node.url}/hospital-b/fhir/Organization/hospital-b`],
      );
      assert.equal(theirs?.purposeOfEvent?.[0]?.coding?.[0]?.code, 'TREAT');
      assert.equal(theirs?.subtype?.[0]?.code, 'read');
      assert.ok(!JSON.stringify(events).includes(BERT), 'nothing of others');
      assert.deepEqual(await audit(patient, `patient=${BERT}`), []);
      await patient.delete(`Consent/${consent.id}`);
    });

    test('the custodian sees its whole trail, by patient and time, denials included', async () => {
      const denied = await world.as('research-institute').get(`Patient/${ANNA}`);
      assert.equal(denied.status, 404);
      const events = await audit(hospital, '_count=1000');
      assert.equal(eventOf(events, denied)?.outcome, '4');
      const read = await hospital.get(`Patient/${BERT}`);
      const [byPatient] = await audit(hospital, `patient=${BERT}&_count=1`);
      assert.equal(byPatient?.id, eventOf(await audit(hospital, '_count=50'), read)?.id, 'newest first');
      const at = byPatient?.recorded ?? '';
      assert.ok((await audit(hospital, `date=ge${at}`)).some(({ id }) => id === byPatient?.id));
      assert.ok(!(await audit(hospital, `date=gt${at}&_count=1000`)).some(({ id }) => id === byPatient?.id));
      assert.deepEqual(await audit(hospital, 'date=lt2020'), []);
      assert.ok((await audit(hospital, `date=${at.slice(0, 10)}&patient=Patient/${BERT}`)).length > 0);
      const alone = await hospital.get(`AuditEvent/${byPatient?.id}`);
      assert.deepEqual(alone.json<AuditEvent>(), byPatient);
    });

    test('pages follow each other without a gap or a repetition', async () => {
      const before = (await audit(hospital, '_count=1'))[0]?.recorded ?? '';
      for (let n = 0; n < 7; n++) await hospital.get(`Patient/${ANNA}`);
      const query = `date=gt${before}&patient=${ANNA}`;
      const whole = (await audit(hospital, query)).map(({ id }) => id);
      const seen: (string | undefined)[] = [];
      let path: string | undefined = `AuditEvent?${query}&_count=3`;
      while (path !== undefined) {
        const bundle: Bundle = (await hospital.get(path)).json<Bundle>();
        seen.push(...(bundle.entry ?? []).map(({ resource }) => resource?.id));
        const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
        path = next === undefined ? undefined : next.slice(world.node.url.length);
      }
      assert.deepEqual(seen, whole);
      assert.equal(whole.length, 7);
    });

    test('nobody else sees any of it, and nobody can write or delete it', async () => {
      const [event] = await audit(hospital, '_count=1');
      for (const client of ['hospital-b', 'research-institute']) {
        assert.deepEqual(await audit(world.as(client), '_count=10'), [], client);
        assert.equal((await world.as(client).get(`AuditEvent/${event?.id}`)).status, 404);
      }
      assert.equal(
        (
          await world
            .as(`patient:${BERT}`)
            .get(`AuditEvent/${eventOf(await audit(hospital, '_count=100'), await hospital.get(RECORD))?.id}`)
        ).status,
        404,
      );
      await hospital.delete(`AuditEvent/${event?.id}`);
      assert.deepEqual((await hospital.get(`AuditEvent/${event?.id}`)).json<AuditEvent>(), event);
    });

    test('a search by POST is taken down with what was asked', async () => {
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await hospital.post(`Observation/_search?patient=${ANNA}`, 'code=7917-8', form);
      const event = eventOf(await audit(hospital, '_count=50'), answer);
      const query = event?.entity?.find(({ query }) => query !== undefined)?.query ?? '';
      assert.equal(Buffer.from(query, 'base64').toString(), `patient=${ANNA}&code=7917-8`);
    });

    test('what cannot be asked of the trail is refused', async () => {
      for (const query of ['altid=x', 'agent.name=x', 'patient.family=x', 'patient:missing=true']) {
        assert.equal((await hospital.get(`AuditEvent?${query}`)).status, 400, query);
      }
    });
  });
});

async function provenance(client: FhirClient, query: string): Promise<readonly Provenance[]> {
  const answer = await client.get(`Provenance?${query}`);
  assert.equal(answer.status, 200, answer.text);
  return (answer.json<Bundle>().entry ?? []).map(({ resource }) => resource as Provenance);
}

async function audit(client: FhirClient, query: string): Promise<readonly AuditEvent[]> {
  const answer = await client.get(`AuditEvent?${query}`);
  assert.equal(answer.status, 200, answer.text);
  return (answer.json<Bundle>().entry ?? []).map(({ resource }) => resource as AuditEvent);
}

/** The event of the request that was answered so. */
function eventOf(events: readonly AuditEvent[], { headers }: Answer): AuditEvent | undefined {
  return events.find(({ entity = [] }) =>
    entity.some(({ what }) => what?.identifier?.value === headers['x-request-id']),
  );
}

function anchorOf({ extension = [] }: Provenance): readonly string[] {
  const anchor = extension.find(({ url }) => url === ANCHOR)?.extension ?? [];
  return anchor.map(({ valueCode, valueString, valueInstant }) => valueCode ?? valueString ?? valueInstant ?? '');
}
