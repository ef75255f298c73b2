import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { OperationOutcome, Patient } from '@medplum/fhirtypes';
import { check } from './case.ts';
import { entries, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/http.html#delete and its conditional form */
export function deletions(target: Promise<RestTarget>): void {
  suite('delete', () => {
    conditional(target);
    afterwards(target);
  });
}

function conditional(target: Promise<RestTarget>): void {
  check('http.html#3.1.0.7.1', 'conditional: the one that matches is deleted', async () => {
    const { client } = await target;
    const { system } = newScope(client);
    const identifier = [{ system, value: '1' }];
    const { id } = (await client.post('Patient', { resourceType: 'Patient', identifier })).json<Patient>();
    const answer = await client.delete(`Patient?identifier=${system}|1`);
    assert.deepEqual([answer.status, answer.text], [204, '']);
    refused(await client.get(`Patient/${id}`), 410, 'gone');
    assert.equal((await client.delete(`Patient?identifier=${system}|1`)).status, 204, 'no match is no error');
  });

  check('http.html#3.1.0.7.1', 'conditional: several matches are 412, and all stay', async () => {
    const { client } = await target;
    const scope = newScope(client);
    for (const _ of [1, 2]) await scope.create<Patient>({ resourceType: 'Patient' });
    refused(await client.delete(`Patient?${scope.query}`), 412, 'multiple-matches');
    assert.equal(entries(await client.get(`Patient?${scope.query}`)).length, 2);
  });

  for (const [query, code] of [
    ['', 'invalid-parameter'],
    ['?_count=1', 'invalid-parameter'],
    ['?nonsense=1', 'unknown-parameter'],
    ['?_format=json', 'invalid-parameter'],
  ] as const) {
    check('http.html#3.1.0.7.1', `conditional: DELETE Patient${query} selects nothing in particular: 400`, async () => {
      const { client } = await target;
      refused(await client.delete(`Patient${query}`), 400, code);
    });
  }

  check('http.html#concurrency', 'conditional, with If-Match', async () => {
    const { client } = await target;
    const scope = newScope(client);
    await scope.create<Patient>({ resourceType: 'Patient' });
    const remove = (tag: string) => client.delete(`Patient?${scope.query}`, { 'if-match': tag });
    refused(await remove('W/"2"'), 412, 'precondition-failed');
    assert.equal((await remove('W/"1"')).status, 204);
    refused(await remove('W/"1"'), 412, 'precondition-failed');
  });

  for (const type of ['transaction', 'batch'] as const) {
    check('http.html#trules', `conditional, in a ${type}`, async () => {
      const { client } = await target;
      const scope = newScope(client);
      await scope.create<Patient>({ resourceType: 'Patient' });
      const entry = [{ request: { method: 'DELETE', url: `Patient?${scope.query}` } }];
      const [one] = entries(await client.post('', { resourceType: 'Bundle', type, entry }));
      assert.equal(one?.response?.status, '204');
      assert.deepEqual(entries(await client.get(`Patient?${scope.query}`)), []);
    });
  }

  check(
    'http.html#trules',
    'conditional, with several matches: a transaction is 412, a batch says it in the entry',
    async () => {
      const { client } = await target;
      const scope = newScope(client);
      for (const _ of [1, 2]) await scope.create<Patient>({ resourceType: 'Patient' });
      const entry = [{ request: { method: 'DELETE', url: `Patient?${scope.query}` } }];
      refused(await client.post('', { resourceType: 'Bundle', type: 'transaction', entry }), 412, 'multiple-matches');
      const [one] = entries(await client.post('', { resourceType: 'Bundle', type: 'batch', entry }));
      assert.equal(one?.response?.status, '412');
    },
  );
}

function afterwards(target: Promise<RestTarget>): void {
  check('http.html#delete', 'delete again, and of what never was: 204', async () => {
    const { client } = await target;
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
    for (const _ of [1, 2]) assert.equal((await client.delete(`Patient/${id}`)).status, 204);
    assert.equal((await client.delete('Patient/never-was')).status, 204);
    assert.equal(entries(await client.get(`Patient/${id}/_history`)).length, 2);
  });

  check('http.html#delete', 'update of a deleted id brings it back as its next version', async () => {
    const { client } = await target;
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
    await client.delete(`Patient/${id}`);
    const answer = await client.put(`Patient/${id}`, { resourceType: 'Patient', id, active: true });
    assert.deepEqual([answer.status, answer.headers.etag], [201, 'W/"3"']);
    assert.equal(shown<Patient>(await client.get(`Patient/${id}`)).active, true);
    refused(await client.get(`Patient/${id}/_history/2`), 410, 'gone');
    assert.equal((await client.get(`Patient/${id}/_history/1`)).status, 200);
  });

  check('http.html#concurrency', 'If-Match on a deleted id fails', async () => {
    const { client } = await target;
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
    await client.delete(`Patient/${id}`);
    for (const tag of ['W/"1"', 'W/"2"', '*']) {
      const answer = await client.put(`Patient/${id}`, { resourceType: 'Patient', id }, { 'if-match': tag });
      refused(answer, 412, 'precondition-failed');
    }
  });

  check('http.html#delete', 'what is deleted is found by no search', async () => {
    const { client } = await target;
    const scope = newScope(client);
    const { id } = await scope.create<Patient>({ resourceType: 'Patient' });
    await client.delete(`Patient/${id}`);
    assert.deepEqual(entries(await client.get(`Patient?${scope.query}`)), []);
    assert.deepEqual(entries(await client.get(`Patient?_id=${id}`)), []);
  });

  check('http.html#ops', 'Prefer: return=OperationOutcome on a DELETE', async () => {
    const { client } = await target;
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
    const answer = await client.delete(`Patient/${id}`, { prefer: 'return=OperationOutcome' });
    assert.equal(shown<OperationOutcome>(answer).resourceType, 'OperationOutcome');
  });
}
