/** Another institution cannot tell a record from nothing until its patient consents, then sees exactly what was permitted. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bundle, Consent, ConsentProvision } from '@medplum/fhirtypes';
import type { Answer, FhirClient } from '../support/fhir-client.ts';
import {
  ANNA,
  BERT,
  type CohortRecord,
  cohort,
  consentOf,
  IDENTIFIERS,
  PATIENTS,
  putCohort,
  recipient,
  typeClass,
} from './cohort.ts';
import { assertAlike } from './uniform.ts';
import { startWorld } from './world.ts';

const RECORDS = cohort();
const TYPES = [...new Set(RECORDS.map(({ type }) => type))];
/** The same in form and length as what is there, and not there. */
const NOBODY = 'nobo-000001';

/** What is asked about a name (an id, an identifier, a family name), by whatever route. */
const QUESTIONS: readonly string[] = [
  'Patient/@',
  'Patient/@/_history',
  'Patient/@/_history/1',
  'Patient/@/_history/1/$evidence',
  'Observation/hb-2021-@',
  'Observation/hb-2021-@/_history',
  'Observation/hb-2021-@/_history/1',
  'Observation/hb-2021-@/_history/1/$evidence',
  'Encounter/visit-@',
  'Patient?_id=@',
  `Patient?identifier=${IDENTIFIERS}|110101@`,
  'Patient?identifier=110101@',
  'Patient?family=family-of-@',
  'Patient?family:exact=family-of-@',
  'Patient?name=family-of-@&_summary=count',
  'Patient?_id=@&_total=accurate&_count=1',
  'Patient?_id=@&birthdate=1980',
  'Patient?_id=@&birthdate=lt2020-01-01T10:30Z',
  'Patient?_id=@&_lastUpdated=ge2020',
  'Patient?_id=@&_sort=family',
  'Patient?_id=@&_sort=-birthdate,_lastUpdated&_count=1',
  'Patient?_id=@&gender:missing=false',
  'Patient?_id=@&_has:Observation:patient:code=718-7',
  'Patient?_has:Observation:patient:_id=hb-2021-@',
  'Observation?patient=@',
  'Observation?patient=Patient/@',
  'Observation?subject:Patient=@&code=http://loinc.org|718-7',
  'Observation?patient=@&date=ge2021',
  'Observation?patient=@&_summary=count',
  'Observation?patient=@&_sort=-date',
  'Observation?patient._id=@',
  'Patient/@/Observation?_summary=true',
  'Patient/@/*?_elements=code',
  '?_type=Patient,Observation&_id=@,hb-2021-@',
  '?_id=@',
  'Patient?_list=@',
  'Observation?patient.family:contains=mily-of-@',
  'Observation?subject:Patient._has:Encounter:patient:_id=visit-@',
  'Patient?_has:Observation:patient:date=lt2030-01-01T10:30Z&_id=@',
  'Patient?family:contains=mily-of-@&_summary=count',
  'Observation?patient=@&code:text=h',
  'Observation?patient=@&_include=*&_revinclude=*',
  'Patient?_id=@&_revinclude=Observation:patient&_revinclude:iterate=Provenance:target',
  'Observation?patient.identifier=110101@',
  'Observation?patient.family=family-of-@&_summary=count',
  'Observation?subject:Patient.gender=female&patient=@',
  'Condition?subject=@&code=38341003',
  'Encounter?patient=@&date=2021',
  'Encounter?_id=visit-@',
  'Appointment?actor=Patient/@',
  'Provenance?patient=@',
  'Provenance?target=Patient/@',
  'AuditEvent?patient=@',
  'Consent?patient=@',
];

interface Case {
  readonly what: string;
  readonly provision: ConsentProvision;
  readonly more?: Partial<Consent>;
  /** Of the records of the patient alone, which are permitted: told from the cohort, not from the resources. */
  readonly expected: (record: CohortRecord) => boolean;
}

const RESEARCH = recipient('research-institute');
const PERMIT = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN' }] };
const purpose = (code: string) => [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code }];
const code = (value: string, system = 'http://loinc.org') => [{ coding: [{ system, code: value }] }];

const CONSENTS: readonly Case[] = [
  { what: 'everything, to the institution', provision: { type: 'permit', actor: [RESEARCH] }, expected: () => true },
  {
    what: 'a base permit',
    provision: { type: 'permit' },
    more: { policyRule: PERMIT },
    expected: () => true,
  },
  {
    what: 'two types, for research',
    provision: {
      type: 'permit',
      actor: [RESEARCH],
      purpose: purpose('HRESCH'),
      class: ['Patient', 'Observation'].map(typeClass),
    },
    expected: ({ type }) => type === 'Patient' || type === 'Observation',
  },
  {
    what: 'one code',
    provision: { type: 'permit', actor: [RESEARCH], code: code('718-7') },
    expected: (record) => record.code === '718-7',
  },
  {
    what: 'a period of the data, which what does not tell its time is not in',
    provision: { type: 'permit', actor: [RESEARCH], dataPeriod: { start: '2021-06-01', end: '2021-12-31' } },
    expected: ({ from, until }) =>
      from !== undefined && until !== undefined && until >= '2021-06-01' && from <= '2021-12-31',
  },
  {
    what: 'everything but a code, which what tells no code may be about',
    provision: { type: 'permit', actor: [RESEARCH], provision: [{ type: 'deny', code: code('7917-8') }] },
    expected: (record) => record.code !== undefined && record.code !== '7917-8',
  },
  {
    what: 'everything but what is labelled restricted',
    provision: {
      type: 'permit',
      actor: [RESEARCH],
      provision: [
        {
          type: 'deny',
          securityLabel: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
          class: [typeClass('Observation')],
        },
      ],
    },
    // What bears no label does not tell, and satisfies the deny.
    expected: ({ type }) => type !== 'Observation',
  },
  {
    what: 'nothing but an exception to the exception',
    provision: {
      type: 'permit',
      actor: [RESEARCH],
      class: [typeClass('Observation')],
      provision: [
        {
          type: 'deny',
          class: [typeClass('Observation')],
          provision: [{ type: 'permit', code: code('718-7'), dataPeriod: { start: '2021' } }],
        },
      ],
    },
    expected: (record) => record.code === '718-7' && (record.from ?? '') >= '2021',
  },
  {
    what: 'one record by its name',
    provision: {
      type: 'permit',
      actor: [RESEARCH],
      data: [{ meaning: 'instance', reference: { reference: `Observation/hb-2019-${ANNA}` } }],
    },
    expected: ({ id }) => id === `hb-2019-${ANNA}`,
  },
];

suite('research', async () => {
  const world = await startWorld();
  await putCohort(world.as('hospital-a'), RECORDS);
  const research = world.as('research-institute');
  const union = world.asAtUnion('research-institute');
  const removed = 'gone-000001';
  await world.as('hospital-a').put(`Patient/${removed}`, { resourceType: 'Patient', id: removed });
  await world.as('hospital-a').delete(`Patient/${removed}`);

  /** Asks the same about somebody who is there and about somebody who is not. */
  async function assertAlikeFor(who: string, what: string, ask: (name: string) => Promise<Answer>): Promise<void> {
    assertAlike(await ask(who), await ask(NOBODY), [who, NOBODY], what);
  }

  async function assertSearchTellsNothing(who: string, question: string): Promise<void> {
    for (const client of [research, union]) {
      await assertAlikeFor(who, `${client.base} ${question}`, (name) => client.get(question.replaceAll('@', name)));
    }
    const [path = '', query = ''] = question.split('?');
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    await assertAlikeFor(who, `POST ${question}`, (name) =>
      research.post(`${path}/_search`, query.replaceAll('@', name), form),
    );
  }

  async function assertReadTellsNothing(who: string, question: string): Promise<void> {
    const conditions = [{}, { 'if-none-match': 'W/"1"' }, { 'if-modified-since': new Date().toUTCString() }];
    for (const headers of conditions) {
      await assertAlikeFor(who, question, (name) => research.get(question.replaceAll('@', name), headers));
    }
    await assertAlikeFor(who, `HEAD ${question}`, (name) => research.send('HEAD', question.replaceAll('@', name)));
  }

  async function assertNothingIsTold(who: string): Promise<void> {
    for (const question of QUESTIONS) {
      await (question.includes('?') ? assertSearchTellsNothing : assertReadTellsNothing)(who, question);
    }
    for (const type of [...TYPES, 'Provenance', 'Consent']) {
      const answer = await research.get(`${type}?_total=accurate`);
      assert.deepEqual([answer.json<Bundle>().total, answer.json<Bundle>().entry], [0, undefined], type);
    }
    for (const path of ['_history', 'Patient/_history', 'Observation/_history']) {
      assert.equal((await research.get(path)).json<Bundle>().entry, undefined, path);
    }
  }

  /** Posts a Consent for as long as `during` takes, then withdraws it. */
  async function withConsent(patient: string, consent: Consent, during: () => Promise<void>): Promise<void> {
    const client = world.as(`patient:${patient}`);
    const answer = await client.post('Consent', consent);
    assert.equal(answer.status, 201, answer.text);
    const given = answer.json<Consent>();
    try {
      await during();
    } finally {
      const withdrawal = await client.put(`Consent/${given.id}`, { ...given, status: 'inactive' });
      assert.equal(withdrawal.status, 200, withdrawal.text);
    }
  }

  test('without a consent nobody is there, by whatever route', async () => {
    await assertNothingIsTold(ANNA);
  });

  test('neither is somebody who was there and was deleted', async () => {
    for (const path of ['Patient/@', 'Patient/@/_history', 'Patient/@/_history/1', 'Patient/@/_history/2']) {
      await assertReadTellsNothing(removed, path);
    }
    await assertSearchTellsNothing(removed, 'Patient?_id=@');
  });

  test('a batch of questions tells as little as the questions alone', async () => {
    const ask = (name: string) =>
      research.post('', {
        resourceType: 'Bundle',
        type: 'batch',
        entry: QUESTIONS.map((question) => ({ request: { method: 'GET', url: question.replaceAll('@', name) } })),
      });
    await assertAlikeFor(ANNA, 'batch', ask);
  });

  for (const { what, provision, more, expected } of CONSENTS) {
    test(`a consent is in force with the next request, exactly, and withdrawn with the next: ${what}`, async () => {
      const permitted = RECORDS.filter((record) => record.patients.every((one) => one === ANNA) && expected(record));
      assert.ok(permitted.length > 0 && permitted.length < RECORDS.length, 'it tells something apart');
      await withConsent(ANNA, consentOf(ANNA, provision, more), () => assertExactly(permitted, [research, union]));
      await assertExactly([], [research, union]);
    });
  }

  test('after the last withdrawal nobody is there again, by whatever route', async () => {
    await assertNothingIsTold(ANNA);
  });

  test('what belongs to two patients needs the consent of both', async () => {
    const everything: ConsentProvision = { type: 'permit', actor: [RESEARCH] };
    const of = (...patients: readonly string[]) =>
      RECORDS.filter((record) => record.patients.every((one) => patients.includes(one)));
    await withConsent(ANNA, consentOf(ANNA, everything), async () => {
      await assertExactly(of(ANNA), [research, union]);
      await withConsent(BERT, consentOf(BERT, everything), () => assertExactly(of(ANNA, BERT), [research, union]));
      await assertExactly(of(ANNA), [research, union]);
    });
    await assertExactly([], [research, union]);
  });

  test('a Consent that is deleted is withdrawn', async () => {
    const patient = world.as(`patient:${ANNA}`);
    const answer = await patient.post('Consent', consentOf(ANNA, { type: 'permit', actor: [RESEARCH] }));
    assert.equal((await research.get(`Patient/${ANNA}`)).status, 200);
    assert.equal((await patient.delete(`Consent/${answer.json<Consent>().id}`)).status, 204);
    await assertExactly([], [research, union]);
  });

  test('a record that comes after the consent, and one that changes, are decided as they are', async () => {
    const hospital = world.as('hospital-a');
    const late = `Observation/late-${ANNA}`;
    const observation = (value: string) => {
      const { resource } = RECORDS.find(({ id }) => id === `hb-2021-${ANNA}`) as CohortRecord;
      return { ...resource, id: `late-${ANNA}`, code: { coding: [{ system: 'http://loinc.org', code: value }] } };
    };
    const status = async (path: string) => (await research.get(path)).status;
    await withConsent(ANNA, consentOf(ANNA, { type: 'permit', actor: [RESEARCH], code: code('718-7') }), async () => {
      assert.equal((await hospital.put(late, observation('718-7'))).status, 201);
      assert.equal(await status(late), 200);
      assert.equal((await hospital.put(late, observation('7917-8'))).status, 200);
      assert.deepEqual([await status(late), await status(`${late}/_history/2`)], [404, 404]);
      assert.equal(await status(`${late}/_history/1`), 200, 'each version by its own content');
      assert.equal((await hospital.put(late, observation('718-7'))).status, 200);
      await hospital.delete(late);
      assert.equal(await status(late), 410, 'what might be read until it was deleted is known to be deleted');
    });
    assert.equal(await status(late), 404);
    assert.equal(await status(`${late}/_history/1`), 404, 'old versions by today’s consent');
  });

  test('what is permitted to one institution is not permitted to another', async () => {
    const own = RECORDS.filter(({ patients }) => patients.every((one) => one === ANNA));
    const provision: ConsentProvision = { type: 'permit', actor: [recipient('hospital-b')] };
    await withConsent(ANNA, consentOf(ANNA, provision), async () => {
      await assertExactly([], [research, union]);
      await assertExactly(own, [world.as('hospital-b')]);
    });
    await assertExactly([], [world.as('hospital-b')]);
  });

  test('all this time the hospital itself saw everything', async () => {
    await assertExactly(RECORDS, [world.as('hospital-a')]);
  });
});

/** That these records and no others are there: by read, version, history, search, count, chain and reverse chain. */
async function assertExactly(expected: readonly CohortRecord[], clients: readonly FhirClient[]): Promise<void> {
  const names = new Set(expected.map(nameOf));
  for (const client of clients) {
    for (const type of TYPES) {
      const bundle = (await client.get(`${type}?_count=100`)).json<Bundle>();
      const wanted = expected.filter((record) => record.type === type).map(nameOf);
      assert.deepEqual(found(bundle), wanted.toSorted(), `${client.base} ${type}`);
      const counted = (await client.get(`${type}?_summary=count`)).json<Bundle>();
      assert.equal(counted.total, wanted.length, `${client.base} ${type} count`);
    }
    const chained = (await client.get('Observation?patient.gender=female&_count=100')).json<Bundle>();
    const reachable = expected.filter(
      ({ type, patients }) => type === 'Observation' && names.has(`Patient/${patients[0]}`),
    );
    assert.deepEqual(found(chained), reachable.map(nameOf).toSorted(), `${client.base} chain`);
    // An include shows what a read would, and no more.
    for (const query of [
      'Observation?_include=*',
      'Patient?_revinclude=*&_revinclude:iterate=*',
      '?_type=Patient,Observation,Encounter',
    ]) {
      for (const name of found((await client.get(`${query}&_count=100`)).json<Bundle>())) {
        assert.ok(names.has(name), `${client.base} ${query} shows ${name}`);
      }
    }
    const reverse = (await client.get('Patient?_has:Observation:patient:code=718-7')).json<Bundle>();
    const referred = PATIENTS.filter(
      (one) =>
        names.has(`Patient/${one}`) &&
        expected.some(({ patients, code, type }) => type === 'Observation' && patients[0] === one && code === '718-7'),
    );
    assert.deepEqual(found(reverse), referred.map((one) => `Patient/${one}`).toSorted(), `${client.base} _has`);
  }
  const [base] = clients;
  for (const record of RECORDS) {
    const name = nameOf(record);
    const status = names.has(name) ? 200 : 404;
    for (const path of [name, `${name}/_history`, `${name}/_history/1`]) {
      assert.equal((await base?.get(path))?.status, status, path);
    }
  }
}

function nameOf({ type, id }: CohortRecord): string {
  return `${type}/${id}`;
}

function found({ entry = [] }: Bundle): readonly string[] {
  return entry
    .map(({ resource }) => `${resource?.resourceType}/${resource?.id}`)
    .filter((name) => RECORDS.some((record) => nameOf(record) === name) || !/^(Provenance|Consent)\//.test(name))
    .toSorted();
}
