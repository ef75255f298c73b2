import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type {
  BundleEntry,
  CapabilityStatement,
  Meta,
  Observation,
  OperationOutcome,
  Parameters,
  Patient,
  Practitioner,
} from '@medplum/fhirtypes';
import type { Answer, FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { created, entries, linkOf, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/operations.html */
export function operations(target: Promise<RestTarget>): void {
  suite('operations', () => {
    promised(target);
    metas(target);
    everything(target);
    lastN(target);
  });
}

function promised(target: Promise<RestTarget>): void {
  check('capabilitystatement-definitions.html', 'what the CapabilityStatement promises is there', async () => {
    const { client } = await target;
    const [rest] = shown<CapabilityStatement>(await client.get('metadata')).rest ?? [];
    const names = (type: string) =>
      (rest?.resource?.find((one) => one.type === type)?.operation ?? []).map(({ name }) => name);
    for (const name of ['meta', 'meta-add', 'meta-delete', 'everything']) {
      assert.ok(names('Patient').includes(name), name);
    }
    assert.ok(names('Observation').includes('lastn'));
    assert.ok(!names('Observation').includes('everything'));
    assert.ok(rest?.operation?.some(({ name }) => name === 'meta'));
    const interactions = rest?.resource?.find((one) => one.type === 'Patient')?.interaction?.map(({ code }) => code);
    assert.ok(interactions?.includes('patch'));
    assert.equal(rest?.resource?.find((one) => one.type === 'Patient')?.conditionalDelete, 'single');
  });

  for (const [path, method] of [
    ['Observation/1/$everything', 'GET'],
    ['Patient/$lastn', 'GET'],
    ['Patient/1/$lastn', 'GET'],
    ['Patient/$everything', 'GET'],
    ['Nonsense/$meta', 'GET'],
    ['$everything', 'GET'],
    ['Patient/1/$nonsense', 'GET'],
    ['Patient/$nonsense', 'POST'],
  ] as const) {
    check('operations.html#executing', `${method} ${path} is no operation: 404 or 405`, async () => {
      const { client } = await target;
      const body = method === 'POST' ? { body: { resourceType: 'Parameters' } } : {};
      assert.ok([404, 405].includes((await client.send(method, path, body)).status));
    });
  }

  for (const path of ['Patient/1/$meta-add', 'Patient/1/$meta-delete', 'Patient/$validate']) {
    check('operations.html#executing', `GET ${path} is 404 or 405: it needs a body`, async () => {
      const { client } = await target;
      assert.ok([404, 405].includes((await client.get(path)).status));
    });
  }
}

const TAG = (code: string) => ({ system: 'urn:x', code });

function returned(answer: Answer): Meta | undefined {
  const [parameter] = shown<Parameters>(answer).parameter ?? [];
  assert.equal(parameter?.name, 'return');
  return parameter?.valueMeta;
}

function given(meta: Meta): Parameters {
  return { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: meta }] };
}

function metas(target: Promise<RestTarget>): void {
  const clause = 'resource-operation-meta.html';
  check(clause, 'of an instance: what its meta says', async () => {
    const { client } = await target;
    const { id, meta } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
    assert.deepEqual(returned(await client.get(`Patient/${id}/$meta`)), meta);
    const body: Parameters = { resourceType: 'Parameters' };
    assert.deepEqual(returned(await client.post(`Patient/${id}/$meta`, body)), meta);
    refused(await client.get('Patient/none/$meta'), 404, 'not-found');
    refused(await client.get(`Patient/${id}/$meta?nonsense=1`), 400, 'unknown-parameter');
  });

  check(clause, 'of a type, and of the whole base: the tags of all, each once', async () => {
    const { client } = await target;
    const scope = newScope(client);
    for (const _ of [1, 2]) await scope.create<Practitioner>({ resourceType: 'Practitioner' });
    for (const path of ['Practitioner/$meta', '$meta']) {
      const answer = await client.get(path);
      // Where there is more than a server opens for one answer, it may say so.
      if (answer.status === 403) refused(answer, 403, 'too-costly');
      else assert.equal(returned(answer)?.tag?.filter(({ code }) => code === scope.tag.code).length, 1);
    }
    const patients = await client.get('Location/$meta');
    assert.ok(!(returned(patients)?.tag ?? []).some(({ code }) => code === scope.tag.code));
  });

  check('resource-operation-meta-add.html', '$meta-add adds, each once, and what is there stays', async () => {
    const { client } = await target;
    const meta = { tag: [TAG('a')] };
    const { id } = created(await client.post('Patient', { resourceType: 'Patient', meta, active: true }));
    const added = { tag: [TAG('a'), TAG('b')], security: [TAG('s')], profile: ['http://example.org/p'] };
    const answer = await client.post(`Patient/${id}/$meta-add`, given(added));
    const { versionId, lastUpdated, ...left } = returned(answer) ?? {};
    assert.deepEqual(left, added);
    const patient = shown<Patient>(await client.get(`Patient/${id}`));
    assert.deepEqual([patient.meta?.tag, patient.active], [added.tag, true]);
    assert.equal(
      returned(await client.post(`Patient/${id}/$meta-add`, given(added)))?.versionId,
      patient.meta?.versionId,
    );
  });

  check(
    'resource-operation-meta-delete.html',
    '$meta-delete takes away what is there, and minds nothing else',
    async () => {
      const { client } = await target;
      const meta = { tag: [TAG('a'), TAG('b')], profile: ['http://example.org/p'] };
      const { id } = created(await client.post('Patient', { resourceType: 'Patient', meta }));
      const removed = { tag: [TAG('a'), TAG('z')], profile: ['http://example.org/p'] };
      const { versionId, lastUpdated, ...left } =
        returned(await client.post(`Patient/${id}/$meta-delete`, given(removed))) ?? {};
      assert.deepEqual(left, { tag: [TAG('b')] });
      const found = entries(await client.get(`Patient?_id=${id}&_tag=urn:x|a`));
      assert.deepEqual(found, []);
    },
  );

  for (const operation of ['$meta-add', '$meta-delete']) {
    check(`resource-operation-${operation.slice(1)}.html`, `${operation} refuses what is no meta`, async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const post = (body: object) => client.post(`Patient/${id}/${operation}`, body);
      refused(await post({ resourceType: 'Parameters' }), 400, 'invalid-parameter', 'meta');
      refused(await post({ resourceType: 'Patient' }), 400, 'invalid-parameter');
      refused(await post(given({ tag: 'x' } as unknown as Meta)), 400, 'invalid-parameter');
      refused(await client.post(`Patient/none/${operation}`, given({ tag: [TAG('a')] })), 404, 'not-found');
    });
  }
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
      await client.post('Encounter', { resourceType: 'Encounter', status: 'finished', class: TAG('AMB'), subject }),
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

/** http://hl7.org/fhir/R4/resource-operation-validate.html */
export function validation(target: Promise<RestTarget>): void {
  const clause = 'resource-operation-validate.html';
  const outcome = (answer: Answer): readonly string[] =>
    shown<OperationOutcome>(answer as Answer).issue.map(({ severity, code, expression }) =>
      `${severity} ${code} ${expression?.[0] ?? ''}`.trim(),
    );
  const good: Patient = { resourceType: 'Patient', id: 'a', gender: 'female' };
  const bad = { ...good, birthDate: 'yesterday' };
  const wrap = (resource: object | undefined, mode?: string): object => ({
    resourceType: 'Parameters',
    parameter: [
      ...(resource === undefined ? [] : [{ name: 'resource', resource }]),
      ...(mode === undefined ? [] : [{ name: 'mode', valueCode: mode }]),
    ],
  });

  suite('$validate', () => {
    for (const [name, path, body, expected] of [
      ['a valid resource', 'Patient/$validate', good, ['information informational']],
      ['a valid one in Parameters', 'Patient/$validate', wrap(good), ['information informational']],
      ['an invalid one', 'Patient/$validate', bad, ['error value Patient.birthDate']],
      ['an invalid one in Parameters', 'Patient/$validate', wrap(bad), ['error value Patient.birthDate']],
      ['mode=create', 'Patient/$validate', wrap({ resourceType: 'Patient' }, 'create'), ['information informational']],
      ['mode=create in the URL', 'Patient/$validate?mode=create', good, ['information informational']],
      ['mode=update', 'Patient/a/$validate', wrap(good, 'update'), ['information informational']],
      ['mode=update under another id', 'Patient/b/$validate', wrap(good, 'update'), ['error value Patient.id']],
      ['an instance without an id', 'Patient/b/$validate', { resourceType: 'Patient' }, ['error value Patient.id']],
      ['mode=delete', 'Patient/a/$validate', wrap(undefined, 'delete'), ['information informational']],
      ['mode=delete of a type', 'Patient/$validate', wrap(undefined, 'delete'), ['error required']],
      ['nothing', 'Patient/$validate', wrap(undefined), ['error required']],
      ['another type', 'Patient/$validate', { resourceType: 'Group' }, ['error invalid Patient.resourceType']],
      ['what is no resource', 'Patient/$validate', [], ['error invalid Patient.resourceType']],
    ] as const) {
      check(clause, `${name}: 200 with what was found`, async () => {
        const { client } = await target;
        const found = outcome(await client.post(path, body as object));
        assert.deepEqual(
          found.filter((one) => !one.startsWith('warning')),
          expected,
        );
      });
    }

    check(clause, 'all that is wrong is told, each with its element, and nothing is stored', async () => {
      const { client } = await target;
      const wrong = { resourceType: 'Observation', status: 7, valueString: 'x', valueBoolean: true, nonsense: 1 };
      const found = outcome(await client.post('Observation/$validate', wrong));
      for (const element of ['status', 'value', 'nonsense', 'code'])
        assert.ok(
          found.some((one) => one.endsWith(`Observation.${element}`)),
          `${element}: ${found}`,
        );
      const scope = newScope(client);
      await client.post('Patient/$validate', { ...good, meta: { tag: [scope.tag] } });
      assert.deepEqual(entries(await client.get(`Patient?${scope.query}`)), []);
    });

    check(clause, 'a profile that is not known is told as such', async () => {
      const { client } = await target;
      const found = outcome(await client.post('Patient/$validate?profile=http://example.org/p', good));
      assert.ok(
        found.some((one) => one.startsWith('error') && one.includes('not-found')),
        `${found}`,
      );
    });

    check(clause, 'invariants are checked', async () => {
      const { client } = await target;
      const wrong = { ...good, contact: [{ gender: 'male' }] };
      const found = outcome(await client.post('Patient/$validate', wrong));
      assert.ok(
        found.some((one) => one.endsWith('Patient.contact[0]')),
        `${found}`,
      );
    });

    for (const [path, body, code] of [
      ['Patient/$validate?mode=nonsense', good, 'invalid-parameter'],
      ['Patient/$validate?nonsense=1', good, 'unknown-parameter'],
      ['Patient/$validate', '{', 'malformed-json'],
    ] as const) {
      check(clause, `${path} that makes no sense is 400 (${code})`, async () => {
        const { client } = await target;
        refused(await client.post(path, body), 400, code);
      });
    }
  });
}
