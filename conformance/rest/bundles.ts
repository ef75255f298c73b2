// Longer than 300 lines: a list of tests, which a reader looks up one by one.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite } from 'node:test';
import type {
  Bundle,
  BundleEntry,
  BundleEntryResponse,
  Encounter,
  Observation,
  Patient,
  Resource,
} from '@medplum/fhirtypes';
import type { Answer, FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { entries, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/http.html#transaction */
export function bundles(target: Promise<RestTarget>): void {
  suite('transactions', () => {
    check('http.html#trules', 'references by urn:uuid, and to fullUrls of the base, lead to the new ids', async () => {
      const { client } = await target;
      const [patient, encounter] = [`urn:uuid:${randomUUID()}`, `urn:uuid:${randomUUID()}`];
      const answer = await transaction(client, [
        post(observation({ reference: patient }, { encounter: { reference: encounter } })),
        {
          ...post<Patient>({ resourceType: 'Patient', link: [{ type: 'seealso', other: { reference: patient } }] }),
          fullUrl: patient,
        },
        { ...post(visit({ reference: patient })), fullUrl: encounter },
      ]);
      const [first, second, third] = locations(answer);
      const found = shown<Observation>(await client.get(first ?? ''));
      assert.deepEqual([found.subject?.reference, found.encounter?.reference], [second, third]);
      assert.equal(shown<Patient>(await client.get(second ?? '')).link?.[0]?.other.reference, second, 'to itself too');
    });

    check('bundle.html#references', 'a urn:uuid that no entry bears is refused, with the element', async () => {
      const { client } = await target;
      const answer = await client.post(
        '',
        bundle('transaction', [post(observation({ reference: `urn:uuid:${randomUUID()}` }))]),
      );
      refused(answer, 400, 'unresolved-reference', 'Bundle.entry[0].resource.subject');
    });

    check('http.html#transaction', 'all or nothing: one bad entry and nothing of the others is there', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const good = post<Patient>({ resourceType: 'Patient', meta: { tag: [scope.tag] } });
      const bad: readonly [string, BundleEntry, number, string, string][] = [
        [
          'an invalid resource',
          post({ resourceType: 'Patient', gender: 'x', foo: 1 } as unknown as Patient),
          422,
          'invalid-resource',
          'Bundle.entry[1].resource.foo',
        ],
        ['no request', { resource: { resourceType: 'Patient' } }, 400, 'invalid-bundle', 'Bundle.entry[1].request'],
        [
          'an unknown method',
          { request: { method: 'POKE' as 'GET', url: 'Patient' } },
          400,
          'invalid-bundle',
          'Bundle.entry[1].request',
        ],
        [
          'an unknown type',
          { ...post<Patient>({ resourceType: 'Patient' }), request: { method: 'POST', url: 'Nonsense' } },
          400,
          'invalid-bundle',
          'Bundle.entry[1].request.url',
        ],
        [
          'another server',
          {
            ...post<Patient>({ resourceType: 'Patient' }),
            request: { method: 'POST', url: 'http://example.org/fhir/Patient' },
          },
          400,
          'invalid-bundle',
          'Bundle.entry[1].request.url',
        ],
        [
          'another base',
          {
            ...post<Patient>({ resourceType: 'Patient' }),
            request: { method: 'POST', url: `${client.base.replace(/[^/]+\/fhir$/, 'elsewhere/fhir')}/Patient` },
          },
          400,
          'invalid-bundle',
          'Bundle.entry[1].request.url',
        ],
        [
          'no resource',
          { request: { method: 'POST', url: 'Patient' } },
          400,
          'invalid-bundle',
          'Bundle.entry[1].resource',
        ],
        [
          'a resource of another type',
          { resource: visit({ reference: 'Patient/1' }), request: { method: 'POST', url: 'Patient' } },
          422,
          'invalid-resource',
          'Bundle.entry[1].resource.resourceType',
        ],
        [
          'a stale version',
          { request: { method: 'DELETE', url: `Patient/${randomUUID()}`, ifMatch: 'W/"4"' } },
          412,
          'precondition-failed',
          'Bundle.entry[1]',
        ],
        [
          'a condition that means nothing',
          {
            ...post<Patient>({ resourceType: 'Patient' }),
            request: { method: 'POST', url: 'Patient', ifNoneExist: 'nonsense=1' },
          },
          400,
          'unknown-parameter',
          'nonsense',
        ],
        [
          'an element that an entry does not have',
          { ...good, foo: 1 } as BundleEntry,
          400,
          'invalid-bundle',
          'Bundle.entry[1].foo',
        ],
        [
          'an element that a request does not have',
          { ...good, request: { method: 'POST', url: 'Patient', foo: 1 } } as BundleEntry,
          400,
          'invalid-bundle',
          'Bundle.entry[1].request.foo',
        ],
        [
          'a condition that is no text',
          { ...good, request: { method: 'POST', url: 'Patient', ifNoneExist: 5 } } as unknown as BundleEntry,
          400,
          'invalid-bundle',
          'Bundle.entry[1].request.ifNoneExist',
        ],
        [
          'a fullUrl that is no text',
          { ...good, fullUrl: 5 } as unknown as BundleEntry,
          400,
          'invalid-bundle',
          'Bundle.entry[1].fullUrl',
        ],
        ['nothing at all', null as unknown as BundleEntry, 400, 'invalid-bundle', 'Bundle.entry[1]'],
        ['a list', [] as unknown as BundleEntry, 400, 'invalid-bundle', 'Bundle.entry[1]'],
      ];
      for (const [what, entry, status, code, expression] of bad) {
        const answer = await client.post('', bundle('transaction', [good, entry]));
        assert.equal(answer.status, status, `${what}: ${answer.text}`);
        refused(answer, status, code, expression);
      }
      assert.deepEqual(entries(await client.get(`Patient?${scope.query}`)), []);
    });

    check('http.html#trules', 'the same resource twice, and the same fullUrl twice, are refused', async () => {
      const { client } = await target;
      const id = randomUUID();
      const put = {
        resource: { resourceType: 'Patient', id },
        request: { method: 'PUT', url: `Patient/${id}` },
      } as BundleEntry;
      refused(
        await client.post('', bundle('transaction', [put, put])),
        400,
        'invalid-bundle',
        'Bundle.entry[1].request.url',
      );
      const remove: BundleEntry = { request: { method: 'DELETE', url: `Patient/${id}` } };
      refused(
        await client.post('', bundle('transaction', [put, remove])),
        400,
        'invalid-bundle',
        'Bundle.entry[1].request.url',
      );
      const named = { ...post<Patient>({ resourceType: 'Patient' }), fullUrl: `urn:uuid:${id}` };
      refused(
        await client.post('', bundle('transaction', [named, named])),
        400,
        'invalid-bundle',
        'Bundle.entry[1].fullUrl',
      );
    });

    check(
      'http.html#trules',
      'conditional references lead to what they match, in the base or in the same transaction',
      async () => {
        const { client } = await target;
        const { system } = newScope(client);
        const stored = await newScope(client).create<Patient>({
          resourceType: 'Patient',
          identifier: [{ system, value: 'a|b,c' }],
        });
        const condition = `Patient?identifier=${encodeURIComponent(`${system}|a\\|b\\,c`)}`;
        const [location] = locations(await transaction(client, [post(observation({ reference: condition }))]));
        assert.equal(shown<Observation>(await client.get(location ?? '')).subject?.reference, `Patient/${stored.id}`);
        const nothing = await client.post(
          '',
          bundle('transaction', [post(observation({ reference: `Patient?identifier=${system}|none` }))]),
        );
        refused(nothing, 400, 'unresolved-reference', 'Bundle.entry[0].resource.subject');
        await newScope(client).create<Patient>({ resourceType: 'Patient', identifier: [{ system, value: 'a|b,c' }] });
        refused(
          await client.post('', bundle('transaction', [post(observation({ reference: condition }))])),
          412,
          'multiple-matches',
        );
      },
    );

    check('http.html#ccreate', 'ifNoneExist: an entry that exists is answered with, and referred to', async () => {
      const { client } = await target;
      const { system } = newScope(client);
      const urn = `urn:uuid:${randomUUID()}`;
      const send = () =>
        transaction(client, [
          {
            fullUrl: urn,
            resource: { resourceType: 'Patient', identifier: [{ system, value: '1' }] },
            request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=${system}|1` },
          },
          post(observation({ reference: urn })),
        ]);
      const [first, second] = [await send(), await send()];
      assert.deepEqual([...statuses(first), ...statuses(second)], ['201', '201', '200', '201']);
      const [, location] = locations(second);
      const subject = shown<Observation>(await client.get(location ?? '')).subject?.reference;
      assert.equal(subject, locations(first)[0]);
      assert.equal(entries(await client.get(`Patient?identifier=${system}|1`)).length, 1);
    });

    check('http.html#trules', 'creates, updates, deletes and reads together; reads see what was written', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const [kept, removed] = [
        await scope.create<Patient>({ resourceType: 'Patient' }),
        await scope.create<Patient>({ resourceType: 'Patient' }),
      ];
      const answer = await transaction(client, [
        { request: { method: 'GET', url: `Patient?${scope.query}&_summary=count` } },
        { request: { method: 'DELETE', url: `Patient/${removed.id}` } },
        { request: { method: 'GET', url: `Patient/${kept.id}` } },
        {
          resource: { ...kept, gender: 'other' },
          request: { method: 'PUT', url: `Patient/${kept.id}`, ifMatch: 'W/"1"' },
        },
        post<Patient>({ resourceType: 'Patient', meta: { tag: [scope.tag] } }),
      ]);
      assert.deepEqual(statuses(answer), ['200', '204', '200', '200', '201']);
      const [count, , read] = entries(answer);
      assert.equal((count?.resource as Bundle | undefined)?.total, 2);
      assert.equal((read?.resource as Patient | undefined)?.gender, 'other');
    });

    check(
      'http.html#transaction-response',
      'a read that fails says so in its entry; what was written stays written',
      async () => {
        const { client } = await target;
        const scope = newScope(client);
        const answer = await transaction(client, [
          post<Patient>({ resourceType: 'Patient', meta: { tag: [scope.tag] } }),
          { request: { method: 'GET', url: `Patient/${randomUUID()}` } },
        ]);
        assert.deepEqual(statuses(answer), ['201', '404']);
        assert.equal(entries(await client.get(`Patient?${scope.query}`)).length, 1);
      },
    );

    check('http.html#transaction', 'a transaction of reads only, and an empty one', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const read = await transaction(client, [{ request: { method: 'GET', url: `Patient/${id}` } }]);
      assert.deepEqual(statuses(read), ['200']);
      assert.deepEqual(entries(await client.post('', { resourceType: 'Bundle', type: 'transaction' })), []);
    });

    check('http.html#transaction', 'what is no batch or transaction is refused', async () => {
      const { client } = await target;
      refused(await client.post('', bundle('collection' as 'batch', [])), 400, 'invalid-bundle', 'Bundle.type');
      refused(await client.post('', { resourceType: 'Patient' }), 400, 'invalid-bundle', 'Bundle.resourceType');
      refused(await client.post('', { ...bundle('batch', []), foo: 1 }), 400, 'invalid-bundle', 'Bundle.foo');
      refused(
        await client.post('', { resourceType: 'Bundle', type: 'batch', entry: {} }),
        400,
        'invalid-bundle',
        'Bundle.entry',
      );
      for (const text of ['null', '[]', '5', '"Bundle"']) refused(await client.post('', text), 400, 'invalid-bundle');
    });

    check('http.html#ops', 'Prefer: return=representation brings the resources', async () => {
      const { client } = await target;
      const answer = await client.post(
        '',
        bundle('transaction', [post<Patient>({ resourceType: 'Patient', gender: 'other' })]),
        {
          prefer: 'return=representation',
        },
      );
      assert.equal((entries(answer)[0]?.resource as Patient | undefined)?.gender, 'other');
    });
  });

  suite('batches', () => {
    check('http.html#batch', 'each entry for itself: what is wrong with one is its own answer', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const good = post<Patient>({ resourceType: 'Patient', meta: { tag: [scope.tag] } });
      const answer = await client.post(
        '',
        bundle('batch', [
          good,
          post({ resourceType: 'Patient', foo: 1 } as unknown as Patient),
          { request: { method: 'GET', url: `Patient/${randomUUID()}` } },
          null as unknown as BundleEntry,
          { request: { method: 'DELETE', url: `Patient/${randomUUID()}` } },
          { request: { method: 'GET', url: 'Patient?nonsense=1' } },
          { ...good, request: { method: 'POST', url: 'Patient', ifMatch: 7 } } as unknown as BundleEntry,
          { request: { method: 'PATCH' as 'GET', url: `Patient/${randomUUID()}` } },
          good,
        ]),
      );
      assert.equal(shown<Bundle>(answer).type, 'batch-response');
      assert.deepEqual(statuses(answer), ['201', '422', '404', '400', '204', '400', '400', '400', '201']);
      const outcome = entries(answer)[1]?.response?.outcome as { issue: { expression: string[] }[] } | undefined;
      assert.deepEqual(outcome?.issue[0]?.expression, ['Bundle.entry[1].resource.foo']);
      assert.equal(entries(await client.get(`Patient?${scope.query}`)).length, 2);
    });

    check('http.html#batch', 'reads, versions, searches and histories by entry', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const { id } = await scope.create<Patient>({ resourceType: 'Patient' });
      const answer = await client.post(
        '',
        bundle('batch', [
          { request: { method: 'GET', url: `Patient/${id}` } },
          { request: { method: 'GET', url: `${client.base}/Patient/${id}` } },
          { request: { method: 'GET', url: `Patient/${id}`, ifNoneMatch: 'W/"1"' } },
          { request: { method: 'GET', url: `Patient/${id}/_history/1` } },
          { request: { method: 'GET', url: `Patient/${id}/_history?_count=1` } },
          { request: { method: 'GET', url: `Patient?${scope.query}` } },
          { request: { method: 'GET', url: `Patient/${id}/$nothing` } },
        ]),
      );
      assert.deepEqual(statuses(answer), ['200', '200', '304', '200', '200', '200', '404']);
      const kinds = entries(answer).map(
        ({ resource }) => (resource as Bundle | undefined)?.type ?? resource?.resourceType,
      );
      assert.deepEqual(kinds, ['Patient', 'Patient', undefined, 'Patient', 'history', 'searchset', undefined]);
    });
  });
}

type Response = BundleEntryResponse & { readonly outcome?: unknown };

function transaction(client: FhirClient, entry: readonly BundleEntry[]): Promise<Answer> {
  return client.post('', bundle('transaction', entry));
}

function bundle(type: 'transaction' | 'batch', entry: readonly BundleEntry[]): Bundle {
  return { resourceType: 'Bundle', type, entry: [...entry] };
}

function post<R extends Resource>(resource: R): BundleEntry {
  return { resource, request: { method: 'POST', url: resource.resourceType } };
}

function responses(answer: Answer): readonly (Response | undefined)[] {
  return entries(answer).map(({ response }) => response);
}

function statuses(answer: Answer): readonly (string | undefined)[] {
  return responses(answer).map((response) => response?.status);
}

/** `Type/id` of each entry. */
function locations(answer: Answer): readonly string[] {
  return responses(answer).map((response) => response?.location?.replace(/\/_history\/.*$/, '') ?? '');
}

function observation(subject: { reference: string }, more: Partial<Observation> = {}): Observation {
  return { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject, ...more };
}

function visit(subject: { reference: string }): Encounter {
  return { resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' }, subject };
}
