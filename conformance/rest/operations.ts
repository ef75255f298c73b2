import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { CapabilityStatement, Meta, Parameters, Patient, Practitioner } from '@medplum/fhirtypes';
import type { Answer } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { created, entries, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/operations.html */
export function operations(target: Promise<RestTarget>): void {
  suite('operations', () => {
    promised(target);
    metas(target);
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
