import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite } from 'node:test';
import type { Bundle, Patient } from '@medplum/fhirtypes';
import type { Answer, FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { entries, newScope, refused } from './support.ts';
import type { RestTarget } from './target.ts';

/** A request that is sent again with the same Idempotency-Key takes effect once and gets the first answer. */
export function idempotency(target: Promise<RestTarget>): void {
  suite('Idempotency-Key', () => {
    check(
      'draft-ietf-httpapi-idempotency-key-header',
      'a create that is repeated gets the same answer, and there is one resource',
      async () => {
        const { client } = await target;
        const { tag, query } = newScope(client);
        const [first, second] = await postTwice(client, 'Patient', { resourceType: 'Patient', meta: { tag: [tag] } });
        assert.equal(first.status, 201);
        assert.deepEqual(comparable(second), comparable(first));
        assert.equal(entries(await client.get(`Patient?${query}`)).length, 1);
      },
    );

    check(
      'draft-ietf-httpapi-idempotency-key-header',
      'a transaction that is repeated gets the same answer',
      async () => {
        const { client } = await target;
        const { tag, query } = newScope(client);
        const patient = { resourceType: 'Patient', meta: { tag: [tag] } };
        const entry = [1, 2].map(() => ({ resource: patient, request: { method: 'POST', url: 'Patient' } }));
        const [first, second] = await postTwice(client, '', { resourceType: 'Bundle', type: 'transaction', entry });
        assert.deepEqual(comparable(second), comparable(first));
        assert.equal(entries(await client.get(`Patient?${query}`)).length, 2);
      },
    );

    check(
      'draft-ietf-httpapi-idempotency-key-header',
      'a transaction with reads that is repeated writes once and reads again',
      async () => {
        const { client } = await target;
        const { tag, query } = newScope(client);
        const patient = { resourceType: 'Patient', meta: { tag: [tag] } };
        const entry = [
          { request: { method: 'GET', url: `Patient?${query}&_summary=count` } },
          { resource: patient, request: { method: 'POST', url: 'Patient' } },
        ];
        const [first, second] = await postTwice(client, '', { resourceType: 'Bundle', type: 'transaction', entry });
        assert.equal(second.status, 200, second.text);
        const told = (answer: Answer) => answer.json<Bundle>().entry?.map(({ response }) => response?.location);
        assert.deepEqual(told(second), told(first));
        assert.equal(entries(await client.get(`Patient?${query}`)).length, 1);
      },
    );

    check(
      'draft-ietf-httpapi-idempotency-key-header',
      'each entry of a batch that is repeated takes effect once',
      async () => {
        const { client } = await target;
        const { tag, query } = newScope(client);
        const patient = { resourceType: 'Patient', meta: { tag: [tag] } };
        const entry = [1, 2].map(() => ({ resource: patient, request: { method: 'POST', url: 'Patient' } }));
        const [first, second] = await postTwice(client, '', { resourceType: 'Bundle', type: 'batch', entry });
        const locations = (answer: Answer) => answer.json<Bundle>().entry?.map(({ response }) => response?.location);
        assert.deepEqual(locations(second), locations(first));
        assert.equal(entries(await client.get(`Patient?${query}`)).length, 2);
      },
    );

    check(
      'draft-ietf-httpapi-idempotency-key-header',
      'an update and a deletion that are repeated make one version',
      async () => {
        const { client } = await target;
        const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
        const [put, remove] = [randomUUID(), randomUUID()];
        const update = () =>
          client.put(
            `Patient/${id}`,
            { resourceType: 'Patient', id, active: true },
            { 'idempotency-key': put, 'if-match': 'W/"1"' },
          );
        const [first, second] = [await update(), await update()];
        assert.deepEqual([first.status, first.headers.etag], [200, 'W/"2"']);
        assert.deepEqual(comparable(second), comparable(first), 'although If-Match no longer holds');
        const drop = () => client.delete(`Patient/${id}`, { 'idempotency-key': remove });
        assert.deepEqual(comparable(await drop()), comparable(await drop()));
        assert.equal(entries(await client.get(`Patient/${id}/_history`)).length, 3);
      },
    );

    check(
      'draft-ietf-httpapi-idempotency-key-header',
      'requests with the same key at once take effect once',
      async () => {
        const { client } = await target;
        const { tag, query } = newScope(client);
        const key = randomUUID();
        const answers = await Promise.all(
          Array.from({ length: 8 }, () =>
            client.post('Patient', { resourceType: 'Patient', meta: { tag: [tag] } }, { 'idempotency-key': key }),
          ),
        );
        for (const answer of answers) assert.deepEqual(comparable(answer), comparable(answers[0]));
        assert.equal(entries(await client.get(`Patient?${query}`)).length, 1);
      },
    );

    check('draft-ietf-httpapi-idempotency-key-header', 'the same key for another request is refused', async () => {
      const { client } = await target;
      const key = { 'idempotency-key': randomUUID() };
      assert.equal((await client.post('Patient', { resourceType: 'Patient' }, key)).status, 201);
      refused(
        await client.post('Patient', { resourceType: 'Patient', active: true }, key),
        422,
        'idempotency-mismatch',
      );
      refused(
        await client.post('Group', { resourceType: 'Group', type: 'person', actual: true }, key),
        422,
        'idempotency-mismatch',
      );
    });

    check(
      'draft-ietf-httpapi-idempotency-key-header',
      'a request that failed may be sent again, mended, with the same key',
      async () => {
        const { client } = await target;
        const key = { 'idempotency-key': randomUUID() };
        refused(await client.post('Patient', { resourceType: 'Patient', foo: 1 }, key), 422, 'invalid-resource');
        assert.equal((await client.post('Patient', { resourceType: 'Patient' }, key)).status, 201);
      },
    );

    check('draft-ietf-httpapi-idempotency-key-header', 'keys are a client’s own', async (t) => {
      const { client, other } = await target;
      if (other === undefined) return t.skip('there is no second client to try with');
      const key = { 'idempotency-key': randomUUID() };
      const mine = await client.post('Patient', { resourceType: 'Patient' }, key);
      const theirs = await other.post('Patient', { resourceType: 'Patient' }, key);
      assert.deepEqual([mine.status, theirs.status], [201, 201], theirs.text);
      assert.notEqual(theirs.json<Patient>().id, mine.json<Patient>().id);
    });

    check('draft-ietf-httpapi-idempotency-key-header', 'a key that is none is refused', async () => {
      const { client } = await target;
      for (const key of ['', 'x'.repeat(256)]) {
        const answer = await client.post('Patient', { resourceType: 'Patient' }, { 'idempotency-key': key });
        refused(answer, 400, 'invalid-parameter', 'Idempotency-Key');
      }
    });
  });
}

/** The answers to a request, and to the same one with the same key. */
async function postTwice(client: FhirClient, path: string, body: object): Promise<readonly [Answer, Answer]> {
  const key = { 'idempotency-key': randomUUID() };
  return [await client.post(path, body, key), await client.post(path, body, key)];
}

/** Everything but what names the request. */
function comparable(answer: Answer | undefined): unknown {
  if (answer === undefined) return undefined;
  const { date: _date, 'x-request-id': _id, ...headers } = answer.headers;
  return [answer.status, headers, answer.text];
}
