import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite } from 'node:test';
import type { Bundle, OperationOutcome, Patient } from '@medplum/fhirtypes';
import { check } from './case.ts';
import { created, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/http.html#create, #read, #vread, #update, #delete */
export function readingAndWriting(target: Promise<RestTarget>): void {
  suite('reading and writing', () => {
    check(
      'http.html#create',
      'create answers 201 with Location, ETag, Last-Modified and the resource as it is now',
      async () => {
        const { client } = await target;
        const answer = await client.post('Patient', { resourceType: 'Patient', id: 'mine', active: true });
        const patient = created<Patient>(answer);
        assert.notEqual(patient.id, 'mine', 'the server gives the id');
        assert.equal(patient.meta?.versionId, '1');
        assert.equal(answer.headers.location, `${client.base}/Patient/${patient.id}/_history/1`);
        assert.equal(answer.headers.etag, 'W/"1"');
        const modified = Date.parse(String(answer.headers['last-modified']));
        assert.equal(modified, Math.floor(Date.parse(patient.meta?.lastUpdated ?? '') / 1000) * 1000);
        assert.match(String(answer.headers['content-type']), /^application\/fhir\+json; *charset=utf-8$/);
      },
    );

    check('http.html#read', 'read answers what was created, to the byte', async () => {
      const { client } = await target;
      const answer = await client.post('Patient', {
        resourceType: 'Patient',
        name: [{ family: 'Müller', given: ['Jörg'] }],
      });
      const read = await client.get(`Patient/${created<Patient>(answer).id}`);
      assert.equal(read.status, 200);
      assert.equal(read.text, answer.text);
      assert.equal(read.headers.etag, answer.headers.etag);
      assert.equal(read.headers['last-modified'], answer.headers['last-modified']);
      assert.equal(read.headers['cache-control'], 'no-store');
    });

    check('http.html#update', 'update makes a new version; vread answers each version for ever', async () => {
      const { client } = await target;
      const first = await newScope(client).create<Patient>({ resourceType: 'Patient', gender: 'female' });
      const answer = await client.put(`Patient/${first.id}`, { ...first, gender: 'male' });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.etag, 'W/"2"');
      const second = shown<Patient>(await client.get(`Patient/${first.id}`));
      assert.deepEqual([second.meta?.versionId, second.gender], ['2', 'male']);
      assert.deepEqual(shown<Patient>(await client.get(`Patient/${first.id}/_history/1`)), first);
      assert.deepEqual(shown<Patient>(await client.get(`Patient/${first.id}/_history/2`)), second);
      for (const version of ['3', '0', '01', '-1', 'x', '1.0', '99999999999']) {
        refused(await client.get(`Patient/${first.id}/_history/${version}`), 404, 'not-found');
      }
    });

    check('http.html#update', 'an update that changes nothing makes no version', async () => {
      const { client } = await target;
      const first = await newScope(client).create<Patient>({ resourceType: 'Patient', gender: 'female' });
      const answer = await client.put(`Patient/${first.id}`, { ...first, meta: { tag: first.meta?.tag ?? [] } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.etag, 'W/"1"');
      refused(await client.get(`Patient/${first.id}/_history/2`), 404, 'not-found');
    });

    check('http.html#upsert', 'update creates under an id that the client chose', async () => {
      const { client } = await target;
      const id = randomUUID();
      const answer = await client.put(`Patient/${id}`, { resourceType: 'Patient', id });
      assert.equal(answer.status, 201);
      assert.equal(answer.headers.location, `${client.base}/Patient/${id}/_history/1`);
      assert.equal(shown<Patient>(await client.get(`Patient/${id}`)).id, id);
    });

    check('http.html#update', 'the id in the body must be that of the URL, and an id', async () => {
      const { client } = await target;
      const id = randomUUID();
      refused(
        await client.put(`Patient/${id}`, { resourceType: 'Patient', id: 'other' }),
        400,
        'invalid-id',
        'Patient.id',
      );
      refused(await client.put(`Patient/${id}`, { resourceType: 'Patient' }), 400, 'invalid-id', 'Patient.id');
      for (const bad of ['a_b', 'x'.repeat(65), '%20', 'a%2Fb', '%E4%BA%BA']) {
        const resource = { resourceType: 'Patient', id: decodeURIComponent(bad) };
        refused(await client.put(`Patient/${bad}`, resource), 422, 'invalid-resource', 'Patient.id');
        refused(await client.delete(`Patient/${bad}`), 400, 'invalid-id');
        refused(await client.get(`Patient/${bad}`), 404, 'not-found');
      }
    });

    check('http.html#create', 'the type in the body must be that of the URL', async () => {
      const { client } = await target;
      const group = { resourceType: 'Group', type: 'person', actual: true };
      refused(await client.post('Patient', group), 422, 'invalid-resource', 'Patient.resourceType');
    });

    check('http.html#delete', 'delete answers 204, and 410 is what is left, until it is created again', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const answer = await client.delete(`Patient/${id}`);
      assert.deepEqual([answer.status, answer.text, answer.headers.etag], [204, '', 'W/"2"']);
      refused(await client.get(`Patient/${id}`), 410, 'gone');
      refused(await client.get(`Patient/${id}/_history/2`), 410, 'gone');
      assert.equal((await client.get(`Patient/${id}/_history/1`)).status, 200);
      assert.equal((await client.delete(`Patient/${id}`)).status, 204, 'again is the same');
      const again = await client.put(`Patient/${id}`, { resourceType: 'Patient', id });
      assert.deepEqual([again.status, again.headers.etag], [201, 'W/"3"']);
      assert.equal((await client.get(`Patient/${id}`)).status, 200);
      assert.equal((await client.delete(`Patient/${randomUUID()}`)).status, 204, 'so is deleting what never was');
    });

    check('http.html#read', 'what is not there answers 404, alike for every type', async () => {
      const { client } = await target;
      const answers = await Promise.all(
        ['Patient', 'Observation', 'Consent', 'AuditEvent', 'Binary'].map((type) =>
          client.get(`${type}/${randomUUID()}`),
        ),
      );
      for (const answer of answers) {
        refused(answer, 404, 'not-found');
        assert.equal(answer.text, answers[0]?.text);
      }
    });

    check(
      'resource.html#metadata',
      'the server owns versionId and lastUpdated; the rest of meta is the client’s',
      async () => {
        const { client } = await target;
        const profile = ['http://hl7.org/fhir/StructureDefinition/vitalsigns'];
        const meta = { versionId: '77', lastUpdated: '2001-01-01T00:00:00Z', source: 'urn:his', profile };
        const patient = created<Patient>(await client.post('Patient', { resourceType: 'Patient', meta }));
        assert.equal(patient.meta?.versionId, '1');
        assert.notEqual(patient.meta?.lastUpdated, meta.lastUpdated);
        assert.deepEqual([patient.meta?.source, patient.meta?.profile], ['urn:his', profile]);
      },
    );

    check('http.html#ops', 'Prefer says what comes back', async () => {
      const { client } = await target;
      const post = (prefer: string) => client.post('Patient', { resourceType: 'Patient' }, { prefer });
      const minimal = await post('return=minimal');
      assert.deepEqual([minimal.status, minimal.text], [201, '']);
      assert.equal(minimal.headers['content-type'], undefined, 'nothing has no type');
      assert.match(String(minimal.headers.location), /Patient\/.*\/_history\/1$/);
      assert.equal((await post('return=representation')).json<Patient>().resourceType, 'Patient');
      const { resourceType, issue } = (await post('return=OperationOutcome')).json<OperationOutcome>();
      assert.deepEqual([resourceType, issue[0]?.severity], ['OperationOutcome', 'information']);
      assert.equal((await post('respond-async, return="minimal"; x=1')).text, '', 'other preferences are passed over');
      assert.equal((await post('return=everything')).json<Patient>().resourceType, 'Patient', 'as are unknown values');
    });

    check('datatypes.html#decimal', 'decimals keep the form they were written in', async () => {
      const { client } = await target;
      for (const value of [
        '1.0',
        '0.10',
        '1e2',
        '1.00E-7',
        '100000000000000000000.5',
        '-0.0',
        '3.14159265358979323846',
      ]) {
        const body = `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value}}}`;
        const answer = await client.post('Observation', body);
        const { id } = created(answer);
        for (const text of [answer.text, (await client.get(`Observation/${id}`)).text]) {
          assert.ok(text.includes(`"valueQuantity":{"value":${value}}`), `${value}: ${text}`);
        }
        const found = await client.get(`Observation?_id=${id}`);
        assert.ok(found.text.includes(`"value":${value}}`), found.text);
      }
    });

    check('json.html', 'every character of Unicode comes back', async () => {
      const { client } = await target;
      const names = [
        '王小明',
        '欧阳娜娜',
        '𠮷野家',
        'Ås‎',
        'e\u0301 é',
        '👩‍⚕️',
        'a\\b"c/d',
        'line\u2028separator',
        '\u0001',
      ];
      for (const family of names.slice(0, -1)) {
        const { id } = created<Patient>(await client.post('Patient', { resourceType: 'Patient', name: [{ family }] }));
        assert.equal(shown<Patient>(await client.get(`Patient/${id}`)).name?.[0]?.family, family);
      }
    });

    check('json.html#primitive', 'extensions of primitives, and contained resources, come back', async () => {
      const { client } = await target;
      const patient = {
        resourceType: 'Patient',
        contained: [{ resourceType: 'Organization', id: 'o', name: 'Here' }],
        _birthDate: {
          extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
        },
        managingOrganization: { reference: '#o' },
      };
      const { id: _id, meta: _meta, ...rest } = created(await client.post('Patient', patient));
      assert.deepEqual(rest, patient);
    });

    check('http.html#head', 'HEAD is GET without the body', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const head = await client.send('HEAD', `Patient/${id}`);
      assert.deepEqual([head.status, head.text, head.headers.etag], [200, '', 'W/"1"']);
    });

    check('resourcelist.html', 'the resource types of R4 can all be searched, created and read', async () => {
      const { client } = await target;
      const list: Bundle = shown<Bundle>(await client.get('List?_summary=count'));
      assert.equal(list.type, 'searchset');
      const basic = created(await client.post('Basic', { resourceType: 'Basic', code: { text: 'anything' } }));
      assert.equal((await client.get(`Basic/${basic.id}`)).status, 200);
    });
  });
}
