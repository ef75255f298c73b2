import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite } from 'node:test';
import type { Bundle, Patient } from '@medplum/fhirtypes';
import type { FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { entries, linkOf, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/http.html#history */
export function histories(target: Promise<RestTarget>): void {
  suite('history', () => {
    check(
      'http.html#history',
      'of an instance: newest first, with what was done, deletions without content',
      async () => {
        const { client } = await target;
        const id = await createUpdateDelete(client);
        const answer = await client.get(`Patient/${id}/_history`);
        const bundle = shown<Bundle>(answer);
        assert.equal(bundle.type, 'history');
        assert.deepEqual(
          bundle.entry?.map(({ request, response, resource, fullUrl }) => [
            `${request?.method} ${request?.url}`,
            response?.status,
            response?.etag,
            (resource as Patient | undefined)?.gender,
            fullUrl,
          ]),
          [
            [`DELETE Patient/${id}`, '204', 'W/"3"', undefined, `${client.base}/Patient/${id}`],
            [`PUT Patient/${id}`, '200', 'W/"2"', 'male', `${client.base}/Patient/${id}`],
            ['POST Patient', '201', 'W/"1"', 'female', `${client.base}/Patient/${id}`],
          ],
        );
      },
    );

    check('http.html#history', 'of what never was: 404', async () => {
      const { client } = await target;
      refused(await client.get(`Patient/${randomUUID()}/_history`), 404, 'not-found');
    });

    check('http.html#history', 'of a type and of the whole base: what was just done comes first', async () => {
      const { client } = await target;
      const id = await createUpdateDelete(client);
      const group = await client.post('Group', { resourceType: 'Group', type: 'person', actual: true });
      const ofType = entries(await client.get('Patient/_history?_count=3'));
      assert.deepEqual(
        ofType.map(({ request }) => request?.url),
        [`Patient/${id}`, `Patient/${id}`, 'Patient'],
      );
      const ofAll = entries(await client.get('_history?_count=5')).map(({ fullUrl }) => fullUrl);
      assert.ok(ofAll.includes(`${client.base}/Group/${group.json<{ id: string }>().id}`), String(ofAll));
    });

    check(
      'http.html#paging',
      'pages follow each other without a gap or a repetition, whatever is written meanwhile',
      async () => {
        const { client } = await target;
        const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
        const update = (n: number) =>
          client.put(`Patient/${id}`, { resourceType: 'Patient', id, multipleBirthInteger: n });
        for (let n = 2; n <= 11; n++) await update(n);
        const seen: (string | undefined)[] = [];
        let path: string | undefined = `Patient/${id}/_history?_count=3`;
        while (path !== undefined) {
          const answer = await client.get(path);
          seen.push(...entries(answer).map(({ response }) => response?.etag));
          path = linkOf(answer, 'next');
          await update(100 + seen.length);
        }
        assert.deepEqual(
          seen,
          [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((n) => `W/"${n}"`),
        );
      },
    );

    check('http.html#history', '_since leaves out what is older', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      await client.put(`Patient/${id}`, { resourceType: 'Patient', id, active: true });
      const [second] = entries(await client.get(`Patient/${id}/_history`));
      const since = encodeURIComponent(second?.response?.lastModified ?? '');
      const found = entries(await client.get(`Patient/${id}/_history?_since=${since}`));
      assert.deepEqual(
        found.map(({ response }) => response?.etag),
        ['W/"2"'],
      );
      const future = new Date(Date.now() + 3_600_000).toISOString();
      assert.deepEqual(entries(await client.get(`Patient/${id}/_history?_since=${future}`)), []);
    });

    check('http.html#history', '_at keeps the versions that were the newest at some moment of it', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      for (const active of [true, false]) await client.put(`Patient/${id}`, { resourceType: 'Patient', id, active });
      const times = entries(await client.get(`Patient/${id}/_history`)).map(
        ({ response }) => response?.lastModified ?? '',
      );
      const tagsAt = async (at: string) =>
        entries(await client.get(`Patient/${id}/_history?_at=${encodeURIComponent(at)}`)).map(
          ({ response }) => response?.etag,
        );
      const [, second = '', first = ''] = times;
      assert.deepEqual(await tagsAt(second), ['W/"2"']);
      assert.deepEqual(await tagsAt(first), first === second ? [] : ['W/"1"']);
      assert.deepEqual(await tagsAt(first.slice(0, 4)), ['W/"3"', 'W/"2"', 'W/"1"']);
      assert.deepEqual(await tagsAt('1999'), []);
      assert.deepEqual(await tagsAt('2999-01'), ['W/"3"']);
    });

    check('http.html#paging', 'of _history: self says what was asked, and next goes on with it', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      for (const active of [true, false]) await client.put(`Patient/${id}`, { resourceType: 'Patient', id, active });
      const path = `Patient/${id}/_history?_count=1&_since=2000-01-01`;
      const first = await client.get(path);
      assert.equal(linkOf(first, 'self')?.split('?')[1], path.split('?')[1]);
      const seen: (string | undefined)[] = [];
      for (let next: string | undefined = path; next !== undefined; ) {
        const page = await client.get(next);
        seen.push(...entries(page).map(({ response }) => response?.etag));
        next = linkOf(page, 'next');
      }
      assert.deepEqual(seen, ['W/"3"', 'W/"2"', 'W/"1"']);
    });

    check('http.html#history', 'parameters that make no sense are refused', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      for (const query of ['_count=x', '_count=-1', '_since=yesterday', '_at=x', '_cursor=abc', '_cursor=']) {
        refused(await client.get(`Patient/${id}/_history?${query}`), 400, 'invalid-parameter', query.split('=')[0]);
      }
      refused(await client.get(`Patient/${id}/_history?family=x`), 400, 'unknown-parameter', 'family');
    });
  });
}

async function createUpdateDelete(client: FhirClient): Promise<string> {
  const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient', gender: 'female' });
  await client.put(`Patient/${id}`, { resourceType: 'Patient', id, gender: 'male' });
  await client.delete(`Patient/${id}`);
  return id;
}
