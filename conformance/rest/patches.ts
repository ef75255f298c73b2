import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { Bundle, BundleEntry, Observation, Patient } from '@medplum/fhirtypes';
import type { Answer, FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { entries, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

const JSON_PATCH = 'application/json-patch+json';
const CLAUSE = 'http.html#patch';

type Operation = Readonly<Record<string, unknown>>;

function patch(client: FhirClient, path: string, operations: unknown, headers = {}): Promise<Answer> {
  const body = typeof operations === 'string' ? operations : JSON.stringify(operations);
  return client.send('PATCH', path, { body, headers: { 'content-type': JSON_PATCH, ...headers } });
}

/** What a record is after a patch of it. */
const CHANGES: readonly (readonly [name: string, before: Partial<Patient>, Operation[], after: Partial<Patient>])[] = [
  ['add sets an element', {}, [{ op: 'add', path: '/active', value: true }], { active: true }],
  [
    'add puts an item into a list',
    { name: [{ family: 'a' }, { family: 'c' }] },
    [{ op: 'add', path: '/name/1', value: { family: 'b' } }],
    { name: [{ family: 'a' }, { family: 'b' }, { family: 'c' }] },
  ],
  [
    'add at - appends',
    { name: [{ family: 'a' }] },
    [{ op: 'add', path: '/name/-', value: { family: 'b' } }],
    { name: [{ family: 'a' }, { family: 'b' }] },
  ],
  ['remove', { active: true, gender: 'male' }, [{ op: 'remove', path: '/active' }], { gender: 'male' }],
  [
    'remove of an item',
    { name: [{ family: 'a' }, { family: 'b' }] },
    [{ op: 'remove', path: '/name/0' }],
    { name: [{ family: 'b' }] },
  ],
  ['replace', { gender: 'male' }, [{ op: 'replace', path: '/gender', value: 'female' }], { gender: 'female' }],
  [
    'move',
    { name: [{ text: 'a' }] },
    [{ op: 'move', from: '/name/0/text', path: '/name/0/family' }],
    { name: [{ family: 'a' }] },
  ],
  [
    'copy',
    { name: [{ family: 'a' }] },
    [{ op: 'copy', from: '/name/0/family', path: '/name/0/text' }],
    { name: [{ family: 'a', text: 'a' }] },
  ],
  [
    'several, each on what the one before left',
    { active: true },
    [
      { op: 'test', path: '/active', value: true },
      { op: 'remove', path: '/active' },
      { op: 'add', path: '/name', value: [{ family: 'a' }] },
      { op: 'replace', path: '/name/0/family', value: 'b' },
    ],
    { name: [{ family: 'b' }] },
  ],
];

/** Patches that change nothing, and why. */
const REFUSALS: readonly (readonly [name: string, operations: unknown, status: number, code: string])[] = [
  ['a test that does not hold', [{ op: 'test', path: '/gender', value: 'male' }], 422, 'patch-failed'],
  ['a place that is not there', [{ op: 'remove', path: '/active' }], 422, 'patch-failed'],
  ['an item beyond the end', [{ op: 'add', path: '/name/5', value: {} }], 422, 'patch-failed'],
  ['an element that R4 does not know', [{ op: 'add', path: '/nonsense', value: 1 }], 422, 'invalid-resource'],
  ['a value of the wrong type', [{ op: 'replace', path: '/gender', value: 7 }], 422, 'invalid-resource'],
  ['another type', [{ op: 'replace', path: '/resourceType', value: 'Group' }], 422, 'invalid-resource'],
  ['another id', [{ op: 'replace', path: '/id', value: 'another' }], 422, 'invalid-resource'],
  ['a list left empty', [{ op: 'remove', path: '/name/0' }], 422, 'invalid-resource'],
  ['no list', { op: 'add', path: '/active', value: true }, 400, 'invalid-patch'],
  ['an unknown operation', [{ op: 'insert', path: '/active', value: true }], 400, 'invalid-patch'],
  ['no pointer', [{ op: 'add', path: 'active', value: true }], 400, 'invalid-patch'],
  ['no JSON', '[{"op":', 400, 'malformed-json'],
];

/** http://hl7.org/fhir/R4/http.html#patch */
export function patches(target: Promise<RestTarget>): void {
  suite('patch', () => {
    changes(target);
    concurrency(target);
    conditional(target);
    inBundles(target);
  });
}

function changes(target: Promise<RestTarget>): void {
  for (const [name, before, operations, after] of CHANGES) {
    check(CLAUSE, name, async () => {
      const { client } = await target;
      const { id } = shown<Patient>({
        ...(await client.post('Patient', { resourceType: 'Patient', ...before })),
        status: 200,
      });
      const answer = await patch(client, `Patient/${id}`, operations);
      const { meta, id: same, resourceType, ...rest } = shown<Patient>(answer);
      assert.deepEqual([rest, same, meta?.versionId, answer.headers.etag], [after, id, '2', 'W/"2"']);
      assert.equal((await client.get(`Patient/${id}`)).text, answer.text);
    });
  }

  for (const [name, operations, status, code] of REFUSALS) {
    check(CLAUSE, `refused, and nothing changed: ${name}`, async () => {
      const { client } = await target;
      const patient: Patient = { resourceType: 'Patient', gender: 'female', name: [{ family: 'a' }] };
      const { id } = await newScope(client).create(patient);
      refused(await patch(client, `Patient/${id}`, operations), status, code);
      assert.equal((await client.get(`Patient/${id}`)).headers.etag, 'W/"1"');
    });
  }

  check(CLAUSE, 'decimals keep the form they were written in, patched and not', async () => {
    const { client } = await target;
    const observation = `{"resourceType":"Observation","status":"final","code":{"text":"x"},
      "valueQuantity":{"value":1.50},"referenceRange":[{"low":{"value":0.0}}]}`;
    const { id } = shown<Observation>({ ...(await client.post('Observation', observation)), status: 200 });
    const answer = await patch(
      client,
      `Observation/${id}`,
      '[{"op":"replace","path":"/valueQuantity/value","value":2.500}]',
    );
    assert.match(answer.text, /"valueQuantity":\{"value":2\.500\}.*"low":\{"value":0\.0\}/);
  });

  check(CLAUSE, 'a patch that changes nothing makes no version', async () => {
    const { client } = await target;
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient', gender: 'female' });
    const answer = await patch(client, `Patient/${id}`, [{ op: 'replace', path: '/gender', value: 'female' }]);
    assert.deepEqual([answer.status, answer.headers.etag], [200, 'W/"1"']);
  });

  check(CLAUSE, 'what is not there is 404, what was deleted 410', async () => {
    const { client } = await target;
    const add = [{ op: 'add', path: '/active', value: true }];
    refused(await patch(client, 'Patient/none', add), 404, 'not-found');
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
    await client.delete(`Patient/${id}`);
    refused(await patch(client, `Patient/${id}`, add), 410, 'gone');
  });

  for (const type of ['application/fhir+json', 'application/json', 'application/xml-patch+xml', 'text/plain']) {
    check(CLAUSE, `a patch as ${type} is 415`, async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      refused(await patch(client, `Patient/${id}`, '[]', { 'content-type': type }), 415, 'unsupported-media-type');
    });
  }

  for (const [preference, expected] of [
    ['minimal', ''],
    ['representation', 'Patient'],
    ['OperationOutcome', 'OperationOutcome'],
  ] as const) {
    check('http.html#ops', `PATCH with Prefer: return=${preference}`, async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const add = [{ op: 'add', path: '/active', value: true }];
      const answer = await patch(client, `Patient/${id}`, add, { prefer: `return=${preference}` });
      assert.deepEqual([answer.status, answer.headers.etag], [200, 'W/"2"']);
      assert.equal(answer.text === '' ? '' : answer.json<{ resourceType: string }>().resourceType, expected);
    });
  }
}

function concurrency(target: Promise<RestTarget>): void {
  check('http.html#concurrency', 'If-Match lets a patch through for its version only', async () => {
    const { client } = await target;
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
    const add = (tag: string, value: boolean) =>
      patch(client, `Patient/${id}`, [{ op: 'add', path: '/active', value }], { 'if-match': tag });
    refused(await add('W/"2"', true), 412, 'precondition-failed');
    assert.equal((await add('W/"1"', true)).headers.etag, 'W/"2"');
    refused(await add('W/"1"', false), 412, 'precondition-failed');
    assert.equal((await add('*', false)).headers.etag, 'W/"3"');
  });

  check(CLAUSE, 'patches of one resource at once all take effect', async () => {
    const { client } = await target;
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient', name: [{ family: '0' }] });
    const families = ['1', '2', '3', '4'];
    const answers = await Promise.all(
      families.map((family) => patch(client, `Patient/${id}`, [{ op: 'add', path: '/name/-', value: { family } }])),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    const { name = [] } = shown<Patient>(await client.get(`Patient/${id}`));
    assert.deepEqual(name.map(({ family }) => family).toSorted(), ['0', ...families]);
  });
}

function conditional(target: Promise<RestTarget>): void {
  check(CLAUSE, 'conditional: the one that matches is patched, none is 404, several 412', async () => {
    const { client } = await target;
    const { system } = newScope(client);
    const patient: Patient = { resourceType: 'Patient', identifier: [{ system, value: '1' }] };
    const add = (value: boolean) =>
      patch(client, `Patient?identifier=${system}|1`, [{ op: 'add', path: '/active', value }]);
    refused(await add(true), 404, 'not-found');
    const { id } = (await client.post('Patient', patient)).json<Patient>();
    const answer = await add(true);
    assert.deepEqual([answer.json<Patient>().id, answer.headers.etag], [id, 'W/"2"']);
    await client.post('Patient', patient);
    refused(await add(false), 412, 'multiple-matches');
  });

  check(CLAUSE, 'conditional without a condition is 400', async () => {
    const { client } = await target;
    refused(await patch(client, 'Patient', []), 400, 'invalid-parameter');
    refused(await patch(client, 'Patient?nonsense=1', []), 400, 'unknown-parameter');
  });
}

function inBundles(target: Promise<RestTarget>): void {
  for (const type of ['transaction', 'batch'] as const) {
    check(CLAUSE, `an entry of a ${type} that is a Binary with a JSON Patch`, async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const add = [{ op: 'add', path: '/active', value: true }];
      const answer = await send(client, type, [patchEntry(`Patient/${id}`, add, { ifMatch: 'W/"1"' })]);
      const [entry] = entries(answer);
      assert.deepEqual([entry?.response?.status, entry?.response?.etag], ['200', 'W/"2"']);
      assert.equal(shown<Patient>(await client.get(`Patient/${id}`)).active, true);
    });

    check(CLAUSE, `a ${type} with a conditional patch, and references to what it makes`, async () => {
      const { client } = await target;
      const { system } = newScope(client);
      const patient: Patient = { resourceType: 'Patient', identifier: [{ system, value: '1' }] };
      await client.post('Patient', patient);
      const add = [{ op: 'add', path: '/gender', value: 'other' }];
      const [entry] = entries(await send(client, type, [patchEntry(`Patient?identifier=${system}|1`, add)]));
      assert.equal(entry?.response?.status, '200');
    });
  }

  check(CLAUSE, 'a patch that fails fails the whole transaction', async () => {
    const { client } = await target;
    const scope = newScope(client);
    const { id } = await scope.create<Patient>({ resourceType: 'Patient' });
    const answer = await send(client, 'transaction', [
      {
        request: { method: 'POST', url: 'Patient' },
        resource: { resourceType: 'Patient', meta: { tag: [scope.tag] } },
      },
      patchEntry(`Patient/${id}`, [{ op: 'remove', path: '/active' }]),
    ]);
    refused(answer, 422, 'patch-failed');
    assert.equal(entries(await client.get(`Patient?${scope.query}`)).length, 1);
  });

  check(CLAUSE, 'a patch entry that is no Binary of JSON Patch is 415', async () => {
    const { client } = await target;
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
    const entry: BundleEntry = {
      request: { method: 'PATCH', url: `Patient/${id}` },
      resource: { resourceType: 'Patient', id },
    };
    refused(await send(client, 'transaction', [entry]), 415, 'unsupported-media-type', 'Bundle.entry[0].resource');
  });
}

function patchEntry(url: string, operations: readonly Operation[], request = {}): BundleEntry {
  const data = Buffer.from(JSON.stringify(operations)).toString('base64');
  return {
    request: { method: 'PATCH', url, ...request },
    resource: { resourceType: 'Binary', contentType: JSON_PATCH, data },
  };
}

function send(client: FhirClient, type: 'batch' | 'transaction', entry: BundleEntry[]): Promise<Answer> {
  return client.post('', { resourceType: 'Bundle', type, entry } satisfies Bundle);
}
