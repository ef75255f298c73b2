import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite } from 'node:test';
import type { Patient } from '@medplum/fhirtypes';
import { check } from './case.ts';
import { entries, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/http.html#concurrency, #cread, #ccreate, #cond-update */
export function conditions(target: Promise<RestTarget>): void {
  suite('conditional reads and writes', () => {
    check('http.html#concurrency', 'If-Match lets only the version through that it names', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const put = (tag: string, active: boolean) =>
        client.put(`Patient/${id}`, { resourceType: 'Patient', id, active }, { 'if-match': tag });
      refused(await put('W/"2"', true), 412, 'precondition-failed');
      refused(await put('"unknown"', true), 412, 'precondition-failed');
      refused(await put('no list of tags, "', true), 400, 'invalid-parameter', 'If-Match');
      assert.equal((await put('W/"1"', true)).headers.etag, 'W/"2"');
      assert.equal((await put('"2"', false)).headers.etag, 'W/"3"', 'strong tags are taken too');
      assert.equal((await put('"7", W/"3"', true)).headers.etag, 'W/"4"', 'one of several is enough');
      assert.equal((await put('*', false)).headers.etag, 'W/"5"');
      refused(await client.delete(`Patient/${id}`, { 'if-match': 'W/"1"' }), 412, 'precondition-failed');
      assert.equal((await client.delete(`Patient/${id}`, { 'if-match': 'W/"5"' })).status, 204);
    });

    check('http.html#concurrency', 'If-Match on what does not exist fails, whatever it names', async () => {
      const { client } = await target;
      const id = randomUUID();
      for (const tag of ['W/"1"', '*']) {
        const answer = await client.put(`Patient/${id}`, { resourceType: 'Patient', id }, { 'if-match': tag });
        refused(answer, 412, 'precondition-failed');
      }
    });

    check('http.html#concurrency', 'of two updates of the same version at once one wins and one gets 412', async () => {
      const { client } = await target;
      for (let round = 0; round < 5; round++) {
        const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
        const answers = await Promise.all(
          ['one', 'two'].map((family) =>
            client.put(`Patient/${id}`, { resourceType: 'Patient', id, name: [{ family }] }, { 'if-match': 'W/"1"' }),
          ),
        );
        assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412]);
        const loser = answers.find(({ status }) => status === 412);
        if (loser !== undefined) refused(loser, 412, 'precondition-failed');
        const winner = answers.findIndex(({ status }) => status === 200);
        const patient = shown<Patient>(await client.get(`Patient/${id}`));
        assert.deepEqual([patient.meta?.versionId, patient.name?.[0]?.family], ['2', ['one', 'two'][winner]]);
      }
    });

    check('http.html#concurrency', 'of updates without If-Match at once each makes its version', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const families = ['one', 'two', 'three', 'four'];
      const answers = await Promise.all(
        families.map((family) => client.put(`Patient/${id}`, { resourceType: 'Patient', id, name: [{ family }] })),
      );
      assert.deepEqual(
        answers.map(({ headers }) => headers.etag).sort(),
        [2, 3, 4, 5].map((n) => `W/"${n}"`),
      );
      const history = entries(await client.get(`Patient/${id}/_history`));
      assert.equal(history.length, 5);
      assert.deepEqual(
        new Set(history.slice(0, 4).map(({ resource }) => (resource as Patient).name?.[0]?.family)),
        new Set(families),
      );
    });

    check('RFC 9110 §13.1.2', 'If-None-Match: * on a PUT only creates', async () => {
      const { client } = await target;
      const id = randomUUID();
      const put = () =>
        client.put(`Patient/${id}`, { resourceType: 'Patient', id, active: true }, { 'if-none-match': '*' });
      assert.equal((await put()).status, 201);
      refused(await put(), 412, 'precondition-failed');
    });

    check('http.html#cread', 'If-None-Match on a read answers 304 for the version that is there', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const get = (tag: string) => client.get(`Patient/${id}`, { 'if-none-match': tag });
      const unchanged = await get('W/"1"');
      assert.deepEqual([unchanged.status, unchanged.text, unchanged.headers.etag], [304, '', 'W/"1"']);
      assert.equal((await get('"1"')).status, 304);
      assert.equal((await get('W/"2"')).status, 200);
      assert.equal((await get('W/"2", W/"1"')).status, 304);
      assert.equal((await get('*')).status, 304, 'any version (RFC 9110 §13.1.2)');
    });

    check('http.html#cread', 'If-Modified-Since on a read answers 304 when nothing changed since', async () => {
      const { client } = await target;
      const { id, meta } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const at = Date.parse(meta?.lastUpdated ?? '');
      const get = (time: number, more = {}) =>
        client.get(`Patient/${id}`, { 'if-modified-since': new Date(time).toUTCString(), ...more });
      assert.equal((await get(at)).status, 304, 'to the second, as HTTP dates are');
      assert.equal((await get(at + 60_000)).status, 304);
      assert.equal((await get(at - 60_000)).status, 200);
      assert.equal((await get(at + 60_000, { 'if-none-match': 'W/"9"' })).status, 200, 'If-None-Match goes before it');
      assert.equal((await client.get(`Patient/${id}`, { 'if-modified-since': 'yesterday' })).status, 200, 'no date');
    });

    check('http.html#ccreate', 'conditional create makes one and then answers with it', async () => {
      const { client } = await target;
      const { system } = newScope(client);
      const patient = { resourceType: 'Patient', identifier: [{ system, value: '1' }] };
      const post = () => client.post('Patient', patient, { 'if-none-exist': `identifier=${system}|1` });
      const first = await post();
      assert.equal(first.status, 201);
      const second = await post();
      assert.equal(second.status, 200);
      assert.equal(second.headers['content-location'] ?? second.headers.location, first.headers.location);
      assert.equal(second.json<Patient>().id, first.json<Patient>().id);
      const told = await client.post('Patient', patient, {
        'if-none-exist': `identifier=${system}|1`,
        prefer: 'return=OperationOutcome',
      });
      assert.deepEqual([told.status, told.json<Patient>().resourceType], [200, 'OperationOutcome']);
      assert.equal((await client.post('Patient', patient)).status, 201, 'without the condition there is another');
      refused(await post(), 412, 'multiple-matches');
    });

    check('http.html#ccreate', 'conditional creates under the same condition at once make one', async () => {
      const { client } = await target;
      const { system } = newScope(client);
      const patient = { resourceType: 'Patient', identifier: [{ system, value: '1' }] };
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => client.post('Patient', patient, { 'if-none-exist': `identifier=${system}|1` })),
      );
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 201]);
      assert.equal(entries(await client.get(`Patient?identifier=${system}|1`)).length, 1);
    });

    check('http.html#cond-update', 'a condition that cannot select is refused', async () => {
      const { client } = await target;
      const post = (condition: string) =>
        client.post('Patient', { resourceType: 'Patient' }, { 'if-none-exist': condition });
      refused(await post('_count=1'), 400, 'invalid-parameter');
      refused(await post('nonsense=1'), 400, 'unknown-parameter');
      refused(await client.put('Patient', { resourceType: 'Patient' }), 400, 'invalid-parameter');
    });

    check(
      'http.html#cond-update',
      'conditional update creates, updates the one that matches, and refuses several',
      async () => {
        const { client } = await target;
        const { system } = newScope(client);
        const patient = { resourceType: 'Patient', identifier: [{ system, value: '1' }] };
        const put = (more: object) => client.put(`Patient?identifier=${system}|1`, { ...patient, ...more });
        const first = await put({});
        assert.equal(first.status, 201);
        const { id } = first.json<Patient>();
        const second = await put({ active: true });
        assert.deepEqual([second.status, second.json<Patient>().id, second.headers.etag], [200, id, 'W/"2"']);
        refused(await put({ id: 'another', active: false }), 400, 'invalid-id', 'Patient.id');
        assert.equal((await put({ id, active: false })).headers.etag, 'W/"3"');
        assert.equal((await client.post('Patient', patient)).status, 201);
        refused(await put({}), 412, 'multiple-matches');
      },
    );

    check(
      'http.html#cond-update',
      'conditional update without a match creates under the id that the body has',
      async () => {
        const { client } = await target;
        const id = randomUUID();
        const condition = `Patient?identifier=${newScope(client).system}|1`;
        const answer = await client.put(condition, { resourceType: 'Patient', id });
        assert.deepEqual([answer.status, answer.json<Patient>().id], [201, id]);
      },
    );
  });
}
