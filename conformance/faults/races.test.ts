/** HARD-CASES 8 and its kin: the same thing at the same time, on a real server. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, suite, test } from 'node:test';
import type { Bundle, Patient } from '@medplum/fhirtypes';
import { cachedToken, type FhirClient, fhirClient } from '../support/fhir-client.ts';
import { startTestNode } from '../support/test-node.ts';

const AT_ONCE = 12;

suite('races', () => {
  const hooks: (() => Promise<void>)[] = [];
  after(async () => {
    for (const hook of hooks) await hook();
  });
  const started = startTestNode({ after: (hook) => hooks.push(hook) }).then((node): FhirClient => {
    return fhirClient(
      `${node.url}/hospital-a/fhir`,
      cachedToken(() => node.token('hospital-a')),
    );
  });

  const patient = (id: string | undefined, family: string): Patient => ({
    resourceType: 'Patient',
    ...(id === undefined ? {} : { id }),
    name: [{ family }],
  });
  const atOnce = <T>(work: (index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: AT_ONCE }, (_, index) => work(index)));

  async function versionsOf(client: FhirClient, path: string): Promise<readonly (string | undefined)[]> {
    const { entry = [] } = (await client.get(`${path}/_history`)).json<Bundle>();
    return entry.toReversed().map(({ resource }) => (resource as Patient | undefined)?.name?.[0]?.family);
  }

  test('updates of one version: one wins, the others get 412', async () => {
    const client = await started;
    const id = randomUUID();
    assert.equal((await client.put(`Patient/${id}`, patient(id, 'first'))).status, 201);
    for (let version = 1; version <= 3; version++) {
      const statuses = await atOnce(async (index) => {
        const headers = { 'if-match': `W/"${version}"` };
        return (await client.put(`Patient/${id}`, patient(id, `${version}-${index}`), headers)).status;
      });
      assert.deepEqual(statuses.toSorted(), [200, ...Array<number>(AT_ONCE - 1).fill(412)]);
    }
    assert.equal((await versionsOf(client, `Patient/${id}`)).length, 4);
  });

  test('updates without a condition: each that was accepted is a version, none is lost', async () => {
    const client = await started;
    const id = randomUUID();
    const statuses = await atOnce(async (index) => (await client.put(`Patient/${id}`, patient(id, `${index}`))).status);
    assert.equal(statuses.filter((status) => status === 201).length, 1, 'one of them creates');
    // Who was overtaken too often is told so.
    assert.ok(
      statuses.every((status) => status === 200 || status === 201 || status === 409),
      statuses.join(),
    );
    const accepted = statuses.flatMap((status, index) => (status === 409 ? [] : [`${index}`]));
    assert.deepEqual([...(await versionsOf(client, `Patient/${id}`))].sort(), accepted.sort());
  });

  test('one Idempotency-Key: one version, and one answer for all', async () => {
    const client = await started;
    const headers = { 'idempotency-key': randomUUID() };
    const family = randomUUID();
    const answers = await atOnce(() => client.post('Patient', patient(undefined, family), headers));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
    assert.equal(
      new Set(answers.map(({ text, headers: { etag, location } }) => `${text} ${etag} ${location}`)).size,
      1,
    );
    const { total } = (await client.get(`Patient?family:exact=${family}&_summary=count`)).json<Bundle>();
    assert.equal(total, 1);
  });

  test('one condition of a create: one resource', async () => {
    const client = await started;
    const value = randomUUID();
    const headers = { 'if-none-exist': `identifier=urn:x|${value}` };
    const body = { ...patient(undefined, 'x'), identifier: [{ system: 'urn:x', value }] };
    const answers = await atOnce(() => client.post('Patient', body, headers));
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [...Array<number>(AT_ONCE - 1).fill(200), 201]);
    const { total } = (await client.get(`Patient?identifier=urn:x|${value}&_summary=count`)).json<Bundle>();
    assert.equal(total, 1);
  });

  test('transactions that meet in the same resources in different orders: each in full or refused', async () => {
    const client = await started;
    const ids = Array.from({ length: 4 }, () => randomUUID());
    const answers = await atOnce(async (index) => {
      const entry = (index % 2 === 0 ? ids : ids.toReversed()).map((id) => ({
        resource: patient(id, `${index}`),
        request: { method: 'PUT', url: `Patient/${id}` },
      }));
      return (await client.post('', { resourceType: 'Bundle', type: 'transaction', entry })).status;
    });
    const accepted = answers.flatMap((status, index) => (status === 200 ? [`${index}`] : []));
    assert.ok(accepted.length > 0 && answers.every((status) => status === 200 || status === 409), answers.join());
    for (const id of ids) assert.deepEqual([...(await versionsOf(client, `Patient/${id}`))].sort(), accepted.sort());
  });
});
