import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { Observation, Patient } from '@medplum/fhirtypes';
import type { FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { entries, ids, linkOf, newScope, pages, refused, type Scope } from './support.ts';
import type { RestTarget } from './target.ts';

const SUBSETTED = 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue|SUBSETTED';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** http://hl7.org/fhir/R4/search.html#summary, #elements */
export function searchShapes(target: Promise<RestTarget>): void {
  suite('parts of resources', () => {
    check('search.html#contents', '_summary=true: what the definitions mark, tagged', async () => {
      const { client } = await target;
      const { scope, id } = await storePatient(client);
      const [found] = await parts(client, `Patient?${scope.query}&_summary=true`);
      assert.equal(found?.id, id);
      assert.deepEqual(namesIn(found), ['active', 'birthDate', 'id', 'meta', 'name', 'resourceType']);
      assert.ok(tagsOf(found).includes(SUBSETTED), 'so that nobody takes it for the whole');
      assert.ok(tagsOf(found).includes(`${scope.tag.system}|${scope.tag.code}`), 'its own tags stay');
    });

    check(
      'search.html#contents',
      '_summary=text: the narrative and what is mandatory; not together with includes',
      async () => {
        const { client } = await target;
        const { scope } = await storePatient(client);
        const [found] = await parts(client, `Patient?${scope.query}&_summary=text`);
        assert.deepEqual(namesIn(found), ['id', 'meta', 'resourceType', 'text']);
        const mixed = `Patient?${scope.query}&_summary=text&_include=Patient:organization`;
        refused(await client.get(mixed), 400, 'invalid-parameter', '_summary');
      },
    );

    check('search.html#contents', '_summary=data: all but the narrative; false: everything, untagged', async () => {
      const { client } = await target;
      const { scope } = await storePatient(client);
      const [data] = await parts(client, `Patient?${scope.query}&_summary=data`);
      const [whole] = await parts(client, `Patient?${scope.query}&_summary=false`);
      assert.deepEqual(
        namesIn(data),
        namesIn(whole).filter((name) => name !== 'text'),
      );
      assert.ok(namesIn(whole).includes('text') && !tagsOf(whole).includes(SUBSETTED));
      assert.ok(tagsOf(data).includes(SUBSETTED));
    });

    check('search.html#contents', '_elements: what is named, what is mandatory, and no more', async () => {
      const { client } = await target;
      const { scope } = await storePatient(client);
      const [found] = await parts(client, `Patient?${scope.query}&_elements=birthDate,Patient.photo`);
      // What modifies the meaning is never left out.
      assert.deepEqual(namesIn(found), ['active', 'birthDate', 'id', 'meta', 'photo', 'resourceType']);
      assert.ok(tagsOf(found).includes(SUBSETTED));
      refused(await client.get('Patient?_elements=a%20b'), 400, 'invalid-parameter', '_elements');
    });

    check('search.html#contents', 'decimals keep their written form in a part', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const text = `{"resourceType":"Observation","meta":{"tag":[${JSON.stringify(scope.tag)}]},"status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}}`;
      assert.equal((await client.post('Observation', text)).status, 201);
      const answer = await client.get(`Observation?${scope.query}&_elements=value`);
      assert.match(answer.text, /"value":1\.50[,}]/);
    });

    check('search.html#contents', 'parts are paged as wholes are', async () => {
      const { client } = await target;
      const scope = newScope(client);
      for (let n = 0; n < 5; n++) await scope.create<Patient>({ resourceType: 'Patient' });
      const whole = await pages(client, `Patient?${scope.query}&_count=2`);
      assert.deepEqual(await pages(client, `Patient?${scope.query}&_count=2&_summary=true`), whole);
    });
  });
}

/** http://hl7.org/fhir/R4/search.html#list, #searchcontexts, http.html#search */
export function searchContexts(target: Promise<RestTarget>): void {
  suite('search contexts', () => {
    check('search.html#contents', '_list: the items of a List', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const one = await scope.create<Patient>({ resourceType: 'Patient', gender: 'male' });
      const two = await scope.create<Patient>({ resourceType: 'Patient', gender: 'female' });
      await scope.create<Patient>({ resourceType: 'Patient' });
      const list = await scope.create({
        resourceType: 'List',
        status: 'current',
        mode: 'working',
        entry: [one, two].map(({ id }) => ({ item: { reference: `Patient/${id}` } })),
      });
      assert.deepEqual(ids(await client.get(`Patient?_list=${list.id}`)), [one.id, two.id]);
      assert.deepEqual(ids(await client.get(`Patient?_list=${list.id}&gender=male`)), [one.id]);
      assert.deepEqual(ids(await client.get(`Patient?_list=none,${list.id}`)), [one.id, two.id]);
      assert.deepEqual(ids(await client.get('Patient?_list=none')), []);
      assert.deepEqual(ids(await client.get(`Observation?_list=${list.id}`)), []);
      refused(await client.get('Patient?_list=$current-allergies'), 400, 'search-not-supported', '_list');
    });

    check('search.html#contents', 'a compartment: one type, narrowed down, and every type', async () => {
      const { client } = await target;
      const { scope, anna, ofAnna, visit } = await compartments(client);
      assert.deepEqual(ids(await client.get(`Patient/${anna.id}/Observation?${scope.query}`)), [ofAnna.id]);
      assert.deepEqual(ids(await client.get(`Patient/${anna.id}/Observation?code=none`)), []);
      assert.deepEqual(ids(await client.get(`Encounter/${visit.id}/Observation?${scope.query}`)), [ofAnna.id]);
      const every = ids(await client.get(`Patient/${anna.id}/*?${scope.query}`));
      assert.deepEqual(new Set(every), new Set([anna.id, visit.id, ofAnna.id]));
      const typed = ids(await client.get(`Patient/${anna.id}/*?${scope.query}&_type=Encounter,Observation`));
      assert.deepEqual(new Set(typed), new Set([visit.id, ofAnna.id]));
      assert.deepEqual(ids(await client.get(`Patient/none/Observation`)), []);
    });

    check('search.html#contents', 'a compartment by POST, and its pages', async () => {
      const { client } = await target;
      const { scope, anna, ofAnna, visit } = await compartments(client);
      const path = `Patient/${anna.id}/Observation/_search`;
      assert.deepEqual(ids(await client.post(path, `${scope.query}`, FORM)), [ofAnna.id]);
      const found = await pages(client, `Patient/${anna.id}/*?${scope.query}&_count=1`);
      assert.deepEqual(found.flat().toSorted(), [anna.id, visit.id, ofAnna.id].toSorted());
      assert.equal(found.length, 3);
    });

    check('search.html#contents', 'what is no compartment, or is never in one, is not found', async () => {
      const { client } = await target;
      for (const path of ['Patient/1/Location', 'Location/1/Patient', 'Patient/1/Nonsense', 'Patient/1/$nonsense']) {
        refused(await client.get(path), 404, 'not-supported');
      }
    });

    check('search.html#contents', 'several types at once, in one order, by GET and by POST', async () => {
      const { client } = await target;
      const { scope, anna, bert, ofAnna, visit } = await compartments(client);
      const all = [anna.id, bert.id, visit.id, ofAnna.id];
      const listed = `_type=Observation,Patient,Encounter&${scope.query}`;
      assert.deepEqual(ids(await client.get(`?${listed}`)), all);
      assert.deepEqual(ids(await client.get(`?${listed}&_sort=-_lastUpdated`)), all.toReversed());
      assert.deepEqual((await pages(client, `?${listed}&_count=1`)).flat(), all);
      assert.deepEqual(ids(await client.post('_search', listed, FORM)), all);
      assert.equal((await client.get(`?${listed}&_summary=count`)).json<{ total: number }>().total, 4);
      assert.deepEqual(ids(await client.get(`?${scope.query}`)), all, 'by a tag, of any type');
      assert.deepEqual(ids(await client.get(`?_id=${anna.id},${visit.id}`)), [anna.id, visit.id]);
      assert.equal(linkOf(await client.get(`?${scope.query}`), 'self')?.includes(scope.tag.code), true);
    });

    check(
      'http.html#paging',
      'pages over several types are whole where one type has many more than the others',
      async () => {
        const { client } = await target;
        const scope = newScope(client);
        const made: string[] = [];
        const patient: Patient = { resourceType: 'Patient' };
        for (let n = 0; n < 50; n++) {
          const { id } = n % 10 === 9 ? await scope.create(note()) : await scope.create<Patient>(patient);
          made.push(id);
        }
        for (const [query, expected] of [
          ['', made],
          ['&_sort=-_lastUpdated', made.toReversed()],
        ] as const) {
          for (const count of [1, 7, 30, 50, 100]) {
            const found = await pages(client, `?_type=Patient,Observation&${scope.query}&_count=${count}${query}`);
            assert.deepEqual(found.flat(), expected, `${query} by ${count}`);
          }
        }
        const few = `?_type=Patient,Observation,Location,Condition&${scope.query}&_count=25`;
        assert.deepEqual((await pages(client, few)).flat(), made);
      },
    );

    check('search.html#contents', 'each type has parameters of its own; what one lacks is refused', async () => {
      const { client } = await target;
      refused(await client.get('?_type=Patient,Observation&gender=male'), 400, 'unknown-parameter', 'gender');
      refused(await client.get('?_type=Patient,Nonsense'), 400, 'invalid-parameter', '_type');
      refused(await client.get('?_lastUpdated=ge2020'), 403, 'too-costly', '_type');
      refused(await client.get('?'), 403, 'too-costly', '_type');
    });
  });
}

function note(): Observation {
  return { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
}

async function storePatient(client: FhirClient): Promise<{ scope: Scope; id: string }> {
  const scope = newScope(client);
  const { id } = await scope.create<Patient>({
    resourceType: 'Patient',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">A</div>' },
    active: true,
    name: [{ family: 'A' }],
    birthDate: '1990-01-02',
    photo: [{ title: 'x' }],
    maritalStatus: { text: 'x' },
  });
  return { scope, id };
}

async function parts(client: FhirClient, query: string): Promise<readonly Patient[]> {
  return entries(await client.get(query)).map(({ resource }) => resource as Patient);
}

function namesIn(resource: object | undefined): readonly string[] {
  return Object.keys(resource ?? {}).sort();
}

function tagsOf(resource: Patient | undefined): readonly string[] {
  return (resource?.meta?.tag ?? []).map(({ system, code }) => `${system}|${code}`);
}

/** Two patients, and of the first one a visit with an observation. */
async function compartments(client: FhirClient) {
  const scope = newScope(client);
  const anna = await scope.create<Patient>({ resourceType: 'Patient' });
  const bert = await scope.create<Patient>({ resourceType: 'Patient' });
  const subject = { reference: `Patient/${anna.id}` };
  const visit = await scope.create({
    resourceType: 'Encounter',
    status: 'finished',
    class: { code: 'AMB' },
    subject,
  });
  const ofAnna = await scope.create<Observation>({
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject,
    encounter: { reference: `Encounter/${visit.id}` },
  });
  return { scope, anna, bert, ofAnna, visit };
}
