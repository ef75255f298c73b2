import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { Bundle, Patient } from '@medplum/fhirtypes';
import type { FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { entries, ids, linkOf, newScope, pages, refused, type Scope, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/search.html#return, http.html#paging */
export function searchResults(target: Promise<RestTarget>): void {
  suite('search results', () => {
    check(
      'search.html#return',
      'a searchset: full URLs, matches, a self link that tells what was understood',
      async () => {
        const { client } = await target;
        const scope = newScope(client);
        const { id } = await scope.create<Patient>({ resourceType: 'Patient' });
        const answer = await client.get(`Patient?${scope.query}&active:missing=true`);
        const bundle = shown<Bundle>(answer);
        assert.deepEqual([bundle.type, bundle.total], ['searchset', 1]);
        assert.equal(bundle.entry?.[0]?.fullUrl, `${client.base}/Patient/${id}`);
        assert.equal(bundle.entry?.[0]?.search?.mode, 'match');
        assert.deepEqual(ids(await client.get(linkOf(answer, 'self') ?? '')), [id]);
      },
    );

    check('search.html#return', 'an empty searchset has a total of 0 and no entry', async () => {
      const { client } = await target;
      const bundle = shown<Bundle>(await client.get(`Patient?${newScope(client).query}`));
      assert.deepEqual([bundle.total, 'entry' in bundle], [0, false]);
    });

    check(
      'search.html#return',
      'pages follow each other without a gap or a repetition, in both directions of change',
      async () => {
        const { client } = await target;
        const { scope, patients } = await store(client, 11);
        for (const sort of ['', '&_sort=_lastUpdated', '&_sort=-_lastUpdated']) {
          const expected = sort.includes('-') ? patients.toReversed() : patients;
          for (const count of [1, 3, 5, 11, 100]) {
            const found = await pages(client, `Patient?${scope.query}${sort}&_count=${count}`);
            assert.deepEqual(found.flat(), expected, `${sort} by ${count}`);
            assert.ok(
              found.every((page, index) => page.length === count || index === found.length - 1),
              'no short page',
            );
          }
        }
      },
    );

    check('search.html#return', 'pages stay whole while others write', async () => {
      const { client } = await target;
      const { scope, patients } = await store(client, 9);
      const seen: string[] = [];
      let path: string | undefined = `Patient?${scope.query}&_count=2`;
      while (path !== undefined) {
        const answer = await client.get(path);
        seen.push(...ids(answer));
        path = linkOf(answer, 'next');
        // One that was seen moves to the end, one that was not is deleted, a new one comes.
        const [first] = patients;
        if (seen.length === 2)
          await client.put(`Patient/${first}`, {
            resourceType: 'Patient',
            id: first,
            meta: { tag: [scope.tag] },
            active: true,
          });
        if (seen.length === 4) await client.delete(`Patient/${patients[8]}`);
      }
      const others = seen.filter((id) => id !== patients[0]);
      assert.deepEqual(others, patients.slice(1, 8), 'each of the others once');
    });

    check(
      'search.html#return',
      '_sort by string, date, token and several keys, both directions, what is missing last',
      async () => {
        const { client } = await target;
        const scope = newScope(client);
        const make = async (patient: Partial<Patient>) =>
          (await scope.create<Patient>({ resourceType: 'Patient', ...patient })).id;
        const bert = await make({ name: [{ family: 'Bert' }], birthDate: '1980', gender: 'male' });
        const anna = await make({ name: [{ family: 'änna' }], birthDate: '1990-01-02', gender: 'female' });
        const carl = await make({ name: [{ family: 'Carl' }], gender: 'male' });
        const none = await make({ birthDate: '1970-05' });
        const find = async (sort: string) => ids(await client.get(`Patient?${scope.query}&_sort=${sort}`));
        assert.deepEqual(await find('family'), [anna, bert, carl, none]);
        assert.deepEqual(await find('-family'), [carl, bert, anna, none]);
        assert.deepEqual(await find('birthdate'), [none, bert, anna, carl]);
        assert.deepEqual(await find('-birthdate'), [anna, bert, none, carl]);
        assert.deepEqual(await find('gender,-family'), [anna, carl, bert, none]);
        assert.deepEqual(await find('-gender,family'), [bert, carl, anna, none]);
        assert.deepEqual(await find('-_lastUpdated'), [none, carl, anna, bert]);
      },
    );

    check('search.html#return', 'pages of a sorted search, ties included, without a gap or a repetition', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const all: { id: string; family: string }[] = [];
      for (const family of ['c', 'a', 'b', 'a', 'c', 'b', 'a']) {
        const { id } = await scope.create<Patient>({ resourceType: 'Patient', name: [{ family }] });
        all.push({ id, family });
      }
      for (const sort of ['family', '-family']) {
        const whole = ids(await client.get(`Patient?${scope.query}&_sort=${sort}`));
        const families = whole.map((id) => all.find((one) => one.id === id)?.family);
        assert.deepEqual(families, sort === 'family' ? families.toSorted() : families.toSorted().reverse());
        for (const count of [1, 2, 3]) {
          assert.deepEqual((await pages(client, `Patient?${scope.query}&_sort=${sort}&_count=${count}`)).flat(), whole);
        }
      }
    });

    check('search.html#return', '_total, _summary=count and _count=0', async () => {
      const { client } = await target;
      const { scope } = await store(client, 5);
      const bundle = async (query: string) => shown<Bundle>(await client.get(`Patient?${scope.query}${query}`));
      assert.equal((await bundle('&_count=2&_total=accurate')).total, 5);
      assert.equal((await bundle('&_count=2&_total=none')).total, undefined);
      for (const query of ['&_summary=count', '&_count=0']) {
        const counted = await bundle(query);
        assert.deepEqual([counted.total, 'entry' in counted, counted.type], [5, false, 'searchset']);
      }
      assert.equal((await bundle('&_summary=count&family=longer-than-an-index-token')).total, 0);
    });

    check('search.html#return', 'a superset that is decided after opening still fills its pages', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const wanted: string[] = [];
      for (let n = 0; n < 8; n++) {
        const prefix = 'sixteencharacter';
        const { id } = await scope.create<Patient>({
          resourceType: 'Patient',
          name: [{ family: `${prefix}${n % 2 ? 'yes' : 'no'}` }],
        });
        if (n % 2) wanted.push(id);
      }
      const found = await pages(client, `Patient?${scope.query}&family=sixteencharactery&_count=3`);
      assert.deepEqual(
        found.map((page) => page.length),
        [3, 1],
      );
      assert.deepEqual(found.flat(), wanted);
    });

    check(
      'search.html#return',
      'a page of large resources ends early, with a link to the next; nothing is left out',
      async () => {
        const { client } = await target;
        const scope = newScope(client);
        const made: string[] = [];
        for (let n = 0; n < 5; n++) {
          const div = `<div xmlns="http://www.w3.org/1999/xhtml">${n}${'x'.repeat(3 * 1024 * 1024)}</div>`;
          const patient: Patient = {
            resourceType: 'Patient',
            text: { status: 'generated', div },
            birthDate: `200${n}`,
          };
          made.push((await scope.create(patient)).id);
        }
        for (const sort of ['', '&_sort=birthdate']) {
          const found = await pages(client, `Patient?${scope.query}${sort}`);
          assert.ok(found.length > 1, 'not all at once');
          assert.deepEqual(found.flat(), made);
        }
        const history: string[] = [];
        let path: string | undefined = 'Patient/_history?_count=5';
        while (path !== undefined && history.length < 5) {
          const answer = await client.get(path);
          history.push(...ids(answer));
          path = linkOf(answer, 'next');
        }
        assert.deepEqual(history.slice(0, 5), made.toReversed());
        const url = `Patient?${scope.query}`;
        const entry = Array.from({ length: 20 }, () => ({ request: { method: 'GET', url } }));
        const batch = entries(await client.post('', { resourceType: 'Bundle', type: 'batch', entry }));
        const statuses = batch.map(({ response }) => response?.status);
        assert.ok(statuses.includes('200') && statuses.includes('403'), String(statuses));
      },
    );

    check('search.html#return', 'a cursor opens only for its client, its search and its base, unaltered', async (t) => {
      const { client, other } = await target;
      const { scope } = await store(client, 3);
      const next = linkOf(await client.get(`Patient?${scope.query}&_count=1`), 'next') ?? '';
      const cursor = new URL(next, client.base).searchParams.get('_cursor') ?? '';
      assert.ok(cursor.length > 20 && !next.includes(scope.tag.code), 'nothing of the search is in it');
      refused(await client.get(`Observation?_cursor=${cursor}`), 400, 'invalid-parameter', '_cursor');
      refused(await client.get(`Patient/_history?_cursor=${cursor}`), 400, 'invalid-parameter', '_cursor');
      const altered = `${cursor.slice(0, 30)}${cursor[30] === 'A' ? 'B' : 'A'}${cursor.slice(31)}`;
      for (const bad of [altered, cursor.slice(1), `${cursor}A`, 'x', '']) {
        refused(await client.get(`Patient?_cursor=${bad}`), 400, 'invalid-parameter', '_cursor');
      }
      if (other === undefined) return t.skip('there is no second client to try with');
      refused(await other.get(`Patient?_cursor=${cursor}`), 400, 'invalid-parameter', '_cursor');
    });

    check('search.html#return', 'deleted and replaced versions are not found', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const patient = await scope.create<Patient>({ resourceType: 'Patient', gender: 'male' });
      await client.put(`Patient/${patient.id}`, { ...patient, gender: 'female' });
      assert.deepEqual(ids(await client.get(`Patient?${scope.query}&gender=male`)), []);
      assert.deepEqual(ids(await client.get(`Patient?${scope.query}&gender=female`)), [patient.id]);
      await client.delete(`Patient/${patient.id}`);
      assert.deepEqual(entries(await client.get(`Patient?${scope.query}`)), []);
    });
  });
}

/** Patients in the order in which they were made. */
async function store(client: FhirClient, count: number): Promise<{ scope: Scope; patients: readonly string[] }> {
  const scope = newScope(client);
  const patients: string[] = [];
  for (let n = 0; n < count; n++) {
    patients.push((await scope.create<Patient>({ resourceType: 'Patient', multipleBirthInteger: n + 1 })).id);
  }
  return { scope, patients };
}
