import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite } from 'node:test';
import type {
  Bundle,
  BundleEntry,
  Encounter,
  Observation,
  OperationOutcome,
  Organization,
  Patient,
} from '@medplum/fhirtypes';
import type { Answer, FhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { entries, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

const RULES = 'http.html#trules';

/** The rules of transactions beyond what bundles.ts asks: order, cycles, identities that overlap. */
export function transactions(target: Promise<RestTarget>): void {
  suite('transaction rules', () => {
    cycles(target);
    overlaps(target);
    conditions(target);
    answers(target);
  });
}

function send(client: FhirClient, entry: BundleEntry[], headers = {}): Promise<Answer> {
  return client.post('', { resourceType: 'Bundle', type: 'transaction', entry } satisfies Bundle, headers);
}

function cycles(target: Promise<RestTarget>): void {
  check(RULES, 'two resources that refer to each other', async () => {
    const { client } = await target;
    const [one, other] = [`urn:uuid:${randomUUID()}`, `urn:uuid:${randomUUID()}`];
    const patient = (link: string): Patient => ({
      resourceType: 'Patient',
      link: [{ type: 'seealso', other: { reference: link } }],
    });
    const answer = await send(client, [
      { fullUrl: one, resource: patient(other), request: { method: 'POST', url: 'Patient' } },
      { fullUrl: other, resource: patient(one), request: { method: 'POST', url: 'Patient' } },
    ]);
    const paths = entries(answer).map(({ response }) => response?.location?.replace(/\/_history.*$/, '') ?? '');
    const links: (string | undefined)[] = [];
    for (const path of paths)
      links.push(shown<Patient>(await client.get(relative(client, path))).link?.[0]?.other?.reference);
    assert.deepEqual(links, paths.map((path) => relative(client, path)).toReversed());
  });

  check(RULES, 'a resource that refers to itself, and to one that stands later', async () => {
    const { client } = await target;
    const [own, later] = [`urn:uuid:${randomUUID()}`, `urn:uuid:${randomUUID()}`];
    const organization: Organization = { resourceType: 'Organization', name: 'x', partOf: { reference: later } };
    const answer = await send(client, [
      { fullUrl: own, resource: organization, request: { method: 'POST', url: 'Organization' } },
      {
        fullUrl: later,
        resource: { resourceType: 'Organization', name: 'y' },
        request: { method: 'POST', url: 'Organization' },
      },
    ]);
    const [first, second] = entries(answer).map(({ response }) => relative(client, response?.location ?? ''));
    const found = shown<Organization>(await client.get(first ?? ''));
    assert.equal(found.partOf?.reference, second?.replace(/\/_history.*$/, ''));
  });

  check(RULES, 'the order of the entries does not matter: what is referred to may come last', async () => {
    const { client } = await target;
    const patient = `urn:uuid:${randomUUID()}`;
    const encounter: Encounter = {
      resourceType: 'Encounter',
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: { reference: patient },
    };
    const answer = await send(client, [
      { fullUrl: `urn:uuid:${randomUUID()}`, resource: encounter, request: { method: 'POST', url: 'Encounter' } },
      { fullUrl: patient, resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } },
    ]);
    const [first, second] = entries(answer).map(({ response }) => relative(client, response?.location ?? ''));
    const found = shown<Encounter>(await client.get(first ?? ''));
    assert.equal(found.subject?.reference, second?.replace(/\/_history.*$/, ''));
  });
}

function relative(client: FhirClient, location: string): string {
  return location.startsWith(client.base) ? location.slice(client.base.length + 1) : location;
}

type Request = (id: string, query: string) => BundleEntry;

const put: Request = (id) => ({
  request: { method: 'PUT', url: `Patient/${id}` },
  resource: { resourceType: 'Patient', id, active: true },
});
const putIf: Request = (_, query) => ({
  request: { method: 'PUT', url: `Patient?${query}` },
  resource: { resourceType: 'Patient', gender: 'other' },
});
const remove: Request = (id) => ({ request: { method: 'DELETE', url: `Patient/${id}` } });
const removeIf: Request = (_, query) => ({ request: { method: 'DELETE', url: `Patient?${query}` } });
const createIf: Request = (_, query) => ({
  request: { method: 'POST', url: 'Patient', ifNoneExist: query },
  resource: { resourceType: 'Patient' },
});
const patch: Request = (id) => ({
  request: { method: 'PATCH', url: `Patient/${id}` },
  resource: {
    resourceType: 'Binary',
    contentType: 'application/json-patch+json',
    data: Buffer.from('[{"op":"add","path":"/active","value":true}]').toString('base64'),
  },
});

function overlaps(target: Promise<RestTarget>): void {
  for (const [name, one, other] of [
    ['two updates', put, put],
    ['an update and a delete', put, remove],
    ['a delete and an update', remove, put],
    ['two deletes', remove, remove],
    ['an update and a conditional update of the same', put, putIf],
    ['a conditional update and an update of the same', putIf, put],
    ['a conditional update and a conditional delete', putIf, removeIf],
    ['a delete and a conditional delete', remove, removeIf],
    ['a patch and an update', patch, put],
    ['a delete and a patch', remove, patch],
    ['a conditional create that finds what is deleted', createIf, remove],
    ['a delete, and a conditional create that finds it', remove, createIf],
    ['a conditional delete and a conditional create', removeIf, createIf],
  ] as const) {
    check(RULES, `refused, and nothing done: ${name}`, async () => {
      const { client } = await target;
      const scope = newScope(client);
      const { id } = await scope.create<Patient>({ resourceType: 'Patient' });
      const answer = await send(client, [one(id, scope.query), other(id, scope.query)]);
      refused(answer, 400, 'invalid-bundle');
      assert.equal((await client.get(`Patient/${id}`)).headers.etag, 'W/"1"');
    });
  }

  for (const [name, one, other] of [
    ['a conditional create that finds what is updated', createIf, put],
    ['an update, and a conditional create that finds it', put, createIf],
  ] as const) {
    check(RULES, `allowed: ${name}`, async () => {
      const { client } = await target;
      const scope = newScope(client);
      const { id } = await scope.create<Patient>({ resourceType: 'Patient' });
      const statuses = entries(await send(client, [one(id, scope.query), other(id, scope.query)])).map(
        ({ response }) => response?.status,
      );
      assert.deepEqual(statuses, ['200', '200']);
      assert.equal((await client.get(`Patient/${id}`)).headers.etag, 'W/"2"');
    });
  }
}

function conditions(target: Promise<RestTarget>): void {
  check(RULES, 'two entries created under the same condition are one, and both lead to it', async () => {
    const { client } = await target;
    const { system } = newScope(client);
    const [one, other] = [`urn:uuid:${randomUUID()}`, `urn:uuid:${randomUUID()}`];
    const create = (fullUrl: string): BundleEntry => ({
      fullUrl,
      resource: { resourceType: 'Patient', identifier: [{ system, value: '1' }] },
      request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=${system}|1` },
    });
    const observation = (reference: string): BundleEntry => ({
      resource: { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference } },
      request: { method: 'POST', url: 'Observation' },
    });
    const answer = await send(client, [create(one), create(other), observation(one), observation(other)]);
    const found = entries(answer).map(({ response }) => response?.status);
    assert.deepEqual(found, ['201', '200', '201', '201']);
    const [patient] = entries(await client.get(`Patient?identifier=${system}|1`));
    const about = entries(await client.get(`Observation?subject=Patient/${patient?.resource?.id}`));
    assert.equal(about.length, 2);
    const subjects = new Set(about.map(({ resource }) => (resource as Observation).subject?.reference));
    assert.equal(subjects.size, 1);
  });

  for (const [name, tag, status] of [
    ['its version', 'W/"1"', 200],
    ['another version', 'W/"7"', 412],
  ] as const) {
    check(RULES, `ifMatch of ${name} decides about the whole transaction`, async () => {
      const { client } = await target;
      const scope = newScope(client);
      const { id } = await scope.create<Patient>({ resourceType: 'Patient' });
      const answer = await send(client, [
        {
          resource: { resourceType: 'Patient', meta: { tag: [scope.tag] } },
          request: { method: 'POST', url: 'Patient' },
        },
        { ...put(id, ''), request: { method: 'PUT', url: `Patient/${id}`, ifMatch: tag } },
      ]);
      assert.equal(answer.status, status);
      assert.equal((await client.get(`Patient/${id}`)).headers.etag, status === 200 ? 'W/"2"' : 'W/"1"');
      assert.equal(entries(await client.get(`Patient?${scope.query}`)).length, 1);
    });
  }
}

function answers(target: Promise<RestTarget>): void {
  check(
    'http.html#transaction-response',
    'entries are answered in their order, whatever order they are done in',
    async () => {
      const { client } = await target;
      const scope = newScope(client);
      const [kept, removed] = [
        await scope.create<Patient>({ resourceType: 'Patient' }),
        await scope.create<Patient>({ resourceType: 'Patient' }),
      ];
      const answer = await send(client, [
        { request: { method: 'GET', url: `Patient/${removed.id}` } },
        { request: { method: 'GET', url: `Patient?_id=${kept.id}` } },
        put(kept.id, ''),
        { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } },
        remove(removed.id, ''),
      ]);
      const found = entries(answer).map(({ response }) => response?.status);
      assert.deepEqual(found, ['410', '200', '200', '201', '204']);
      const [, read] = entries(answer);
      const shownIn = (read?.resource as Bundle | undefined)?.entry?.[0]?.resource as Patient | undefined;
      assert.equal(shownIn?.active, true, 'reads come last');
    },
  );

  for (const [preference, resource, outcome] of [
    ['minimal', undefined, undefined],
    ['representation', 'Patient', undefined],
    ['OperationOutcome', undefined, 'OperationOutcome'],
  ] as const) {
    check('http.html#ops', `Prefer: return=${preference} for each entry`, async () => {
      const { client } = await target;
      const answer = await send(
        client,
        [{ resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } }],
        { prefer: `return=${preference}` },
      );
      const [entry] = entries(answer);
      const told = entry?.response?.outcome as OperationOutcome | undefined;
      assert.deepEqual([entry?.resource?.resourceType, told?.resourceType], [resource, outcome]);
      assert.match(entry?.response?.location ?? '', /Patient\/[^/]+\/_history\/1$/);
      assert.match(entry?.response?.lastModified ?? '', /^\d{4}-\d\d-\d\dT/);
    });
  }
}
