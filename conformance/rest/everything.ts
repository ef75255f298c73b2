import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { BundleEntry, Observation, Patient, Practitioner } from '@medplum/fhirtypes';
import type { Answer, FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { created, entries, linkOf, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** What reads much of a record at once. */
export function wholeRecords(target: Promise<RestTarget>): void {
  suite('$everything and $lastn', () => {
    everything(target);
    lastN(target);
  });
}

/** A patient with records of several types, and one of another patient. */
async function putRecord(client: FhirClient): Promise<{ id: string; practitioner: string; others: readonly string[] }> {
  const scope = newScope(client);
  const practitioner = await scope.create<Practitioner>({ resourceType: 'Practitioner' });
  const [patient, stranger] = [
    await scope.create<Patient>({
      resourceType: 'Patient',
      generalPractitioner: [{ reference: `Practitioner/${practitioner.id}` }],
    }),
    await scope.create<Patient>({ resourceType: 'Patient' }),
  ];
  const others: string[] = [];
  for (const { id } of [patient, stranger]) {
    const subject = { reference: `Patient/${id}` };
    const code = { text: 'x' };
    const records = [
      await client.post('Observation', { resourceType: 'Observation', status: 'final', code, subject }),
      await client.post('Condition', { resourceType: 'Condition', code, subject }),
      await client.post('AllergyIntolerance', { resourceType: 'AllergyIntolerance', code, patient: subject }),
      await client.post('Encounter', {
        resourceType: 'Encounter',
        status: 'finished',
        class: { code: 'AMB' },
        subject,
      }),
    ];
    if (id === patient.id) {
      others.push(
        ...records.map((answer) => {
          const { resourceType, id: own } = created<Observation>(answer);
          return `${resourceType}/${own}`;
        }),
      );
    }
  }
  return { id: patient.id, practitioner: practitioner.id, others };
}

function pathsOf(all: readonly BundleEntry[], mode: 'match' | 'include' = 'match'): readonly string[] {
  return all
    .filter(({ search }) => search?.mode === mode)
    .map(({ resource }) => `${resource?.resourceType}/${resource?.id}`);
}

/** Without the Provenance that a server may make of each write. */
function clinical(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !path.startsWith('Provenance/'));
}

function everything(target: Promise<RestTarget>): void {
  const clause = 'patient-operation-everything.html';
  check(clause, 'the Patient first, all of its compartment, what that refers to, and nothing of another', async () => {
    const { client } = await target;
    const { id, practitioner, others } = await putRecord(client);
    for (const answer of [
      await client.get(`Patient/${id}/$everything`),
      await client.post(`Patient/${id}/$everything`, { resourceType: 'Parameters' }),
    ]) {
      const all = entries(answer);
      assert.deepEqual(clinical(pathsOf(all)), [`Patient/${id}`, ...others]);
      assert.deepEqual(pathsOf(all, 'include'), [`Practitioner/${practitioner}`]);
      for (const { fullUrl, resource } of all)
        assert.equal(fullUrl, `${client.base}/${resource?.resourceType}/${resource?.id}`);
    }
  });

  check(clause, 'in pages: each record once, the whole of it, whatever is written meanwhile', async () => {
    const { client } = await target;
    const { id, others } = await putRecord(client);
    const found: string[] = [];
    let pages = 0;
    for (let next: string | undefined = `Patient/${id}/$everything?_count=2`; next !== undefined; pages++) {
      const answer: Answer = await client.get(next);
      found.push(...clinical(pathsOf(entries(answer))));
      next = linkOf(answer, 'next');
      if (pages === 0) await client.put(`Patient/${id}`, { resourceType: 'Patient', id, active: true });
    }
    assert.ok(pages > 2);
    assert.deepEqual(found.toSorted(), [`Patient/${id}`, ...others].toSorted());
  });

  check(clause, '_type keeps those types', async () => {
    const { client } = await target;
    const { id, others } = await putRecord(client);
    const of = async (types: string) => pathsOf(entries(await client.get(`Patient/${id}/$everything?_type=${types}`)));
    assert.deepEqual(await of('Observation,Condition'), others.slice(0, 2));
    assert.deepEqual(await of('Patient'), [`Patient/${id}`]);
    assert.deepEqual(await of('Procedure'), []);
    const posted = await client.post(`Patient/${id}/$everything`, {
      resourceType: 'Parameters',
      parameter: [{ name: '_type', valueCode: 'Encounter' }],
    });
    assert.deepEqual(pathsOf(entries(posted)), others.slice(3));
  });

  check(clause, '_since keeps what changed since', async () => {
    const { client } = await target;
    const { id, others } = await putRecord(client);
    const since = shown<Observation>(await client.get(others[2] ?? '')).meta?.lastUpdated ?? '';
    const path = `Patient/${id}/$everything?_since=${encodeURIComponent(since)}`;
    assert.deepEqual(clinical(pathsOf(entries(await client.get(path)))), others.slice(2));
    assert.deepEqual(entries(await client.get(`Patient/${id}/$everything?_since=2999-01-01`)), []);
  });

  check(clause, 'no such patient is 404, a deleted one 410', async () => {
    const { client } = await target;
    refused(await client.get('Patient/none/$everything'), 404, 'not-found');
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
    await client.delete(`Patient/${id}`);
    refused(await client.get(`Patient/${id}/$everything`), 410, 'gone');
  });

  for (const [query, code] of [
    ['_type=Nonsense', 'invalid-parameter'],
    ['_since=yesterday', 'invalid-parameter'],
    ['_count=0', 'invalid-parameter'],
    ['_cursor=abc', 'invalid-parameter'],
    ['start=2020-01-01', 'search-not-supported'],
    ['nonsense=1', 'unknown-parameter'],
  ] as const) {
    check(clause, `?${query} is 400`, async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      refused(await client.get(`Patient/${id}/$everything?${query}`), 400, code, query.split('=')[0]);
    });
  }
}

const LOINC = 'http://loinc.org';

async function putObservations(client: FhirClient): Promise<string> {
  const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
  const put = (code: object, effective: object) =>
    client.post('Observation', {
      resourceType: 'Observation',
      status: 'final',
      category: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] },
      ],
      code,
      subject: { reference: `Patient/${id}` },
      ...effective,
    });
  const coded = (...codes: string[]) => ({ coding: codes.map((code) => ({ system: LOINC, code })) });
  await put(coded('1'), { effectiveDateTime: '2024-03-01' });
  await put(coded('1'), { effectiveDateTime: '2024-01-01' });
  await put(coded('1', 'local'), { effectiveDateTime: '2024-02-01' });
  await put(coded('2'), { effectivePeriod: { start: '2023-01-01', end: '2023-06-01' } });
  await put(coded('2'), { effectiveDateTime: '2023-05-01' });
  await put({ text: 'words' }, { effectiveDateTime: '2022-01-01' });
  return id;
}

function lastN(target: Promise<RestTarget>): void {
  const clause = 'observation-operation-lastn.html';
  const times = (answer: Answer) =>
    entries(answer).map(({ resource }) => {
      const { effectiveDateTime, effectivePeriod } = resource as Observation;
      return effectiveDateTime ?? effectivePeriod?.end;
    });

  check(clause, 'the last of each code, by when it took effect', async () => {
    const { client } = await target;
    const id = await putObservations(client);
    const answer = await client.get(`Observation/$lastn?patient=${id}&category=laboratory`);
    assert.deepEqual(times(answer).toSorted(), ['2022-01-01', '2023-06-01', '2024-03-01']);
    const posted = await client.post('Observation/$lastn', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'subject', valueString: `Patient/${id}` },
        { name: 'category', valueString: 'laboratory' },
      ],
    });
    assert.deepEqual(times(posted), times(answer));
  });

  check(clause, 'max of each code; a shared coding makes one code', async () => {
    const { client } = await target;
    const id = await putObservations(client);
    const ask = (max: number) => client.get(`Observation/$lastn?patient=Patient/${id}&category=laboratory&max=${max}`);
    assert.deepEqual(times(await ask(2)).toSorted(), [
      '2022-01-01',
      '2023-05-01',
      '2023-06-01',
      '2024-02-01',
      '2024-03-01',
    ]);
    assert.equal(times(await ask(10)).length, 6);
    const one = await client.get(`Observation/$lastn?patient=${id}&code=${LOINC}|1&max=2`);
    assert.deepEqual(times(one), ['2024-03-01', '2024-02-01']);
  });

  for (const [query, code] of [
    ['', 'invalid-parameter'],
    ['?patient=1', 'invalid-parameter'],
    ['?code=1', 'invalid-parameter'],
    ['?patient=1&code=1&max=0', 'invalid-parameter'],
    ['?patient=1&code=1&nonsense=1', 'unknown-parameter'],
    ['?patient=1&code=1&_sort=date', 'search-not-supported'],
  ] as const) {
    check(clause, `$lastn${query} is 400`, async () => {
      const { client } = await target;
      refused(await client.get(`Observation/$lastn${query}`), 400, code);
    });
  }
}
