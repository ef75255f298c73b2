/** What another institution writes under the same ids and identifiers reveals and touches nothing. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bundle, Patient } from '@medplum/fhirtypes';
import type { Message } from '../support/fhir-client.ts';
import { ANNA, cohort, IDENTIFIERS, putCohort } from './cohort.ts';
import { assertAlike } from './uniform.ts';
import { startWorld } from './world.ts';

const NOBODY = 'nobo-000001';

/** Every way of writing, about `@`. */
const WRITES: readonly (readonly [method: string, path: string, message: Message])[] = [
  ['PUT', 'Patient/@', { body: patient('@') }],
  ['PUT', 'Patient/@', { body: patient('@'), headers: { 'if-match': 'W/"1"' } }],
  ['PUT', 'Patient/@', { body: patient('@'), headers: { 'if-none-match': '*' } }],
  ['PUT', `Patient?identifier=${IDENTIFIERS}|110101@`, { body: patient(undefined) }],
  ['POST', 'Patient', { body: patient(undefined), headers: { 'if-none-exist': `identifier=${IDENTIFIERS}|110101@` } }],
  ['POST', 'Patient', { body: patient(undefined), headers: { 'idempotency-key': '@' } }],
  ['POST', 'Observation', { body: observation('Patient/@') }],
  ['POST', 'Observation', { body: observation('Patient?identifier=110101@') }],
  ['DELETE', 'Patient/@', {}],
  ['DELETE', 'Patient/@', { headers: { 'if-match': 'W/"1"' } }],
  ['POST', '', { body: transaction('transaction') }],
  ['POST', '', { body: transaction('batch') }],
];

suite('another institution', async () => {
  const world = await startWorld();
  const records = cohort();
  await putCohort(world.as('hospital-a'), records);
  const versions = async () =>
    (
      await world.rows<{ n: string }>(`select count(*) as n from resource_version v join institution i
      on i.id = v.institution where i.name = 'hospital-a'`)
    )[0]?.n;
  const before = await versions();

  test('is refused at this base by its token alone: the same answer whether or not something is there', async () => {
    const stranger = world.as('hospital-b', 'hospital-a');
    for (const [method, path, message] of WRITES) {
      const send = (name: string) => stranger.send(method, path.replaceAll('@', name), about(message, name));
      const [there, not] = [await send(ANNA), await send(NOBODY)];
      assertAlike(there, not, [ANNA, NOBODY], `${method} ${path}`);
      const statuses =
        path === '' && there.status === 200 ? new Set(statusesOf(there.json<Bundle>())) : new Set([there.status]);
      assert.deepEqual([...statuses].map(Number), [403], `${method} ${path}: ${there.text}`);
    }
    assert.equal(await versions(), before);
  });

  test('writes under the same id at its own base, and gets its own', async () => {
    const other = world.as('hospital-b', 'hospital-b');
    const answer = await other.put(`Patient/${ANNA}`, patient(ANNA));
    assert.equal(answer.status, 201, 'as if there were no such id elsewhere');
    assert.equal(answer.headers.etag, 'W/"1"');
    const own = (await other.get(`Patient/${ANNA}`)).json<Patient>();
    const theirs = (await world.as('hospital-a').get(`Patient/${ANNA}`)).json<Patient>();
    assert.deepEqual([own.gender, theirs.gender], ['unknown', 'female']);
    assert.equal((await other.delete(`Patient/${ANNA}`)).status, 204);
    assert.equal((await world.as('hospital-a').get(`Patient/${ANNA}`)).status, 200);
    assert.equal(await versions(), before);
  });

  test('creates, updates and refers conditionally over its own records only', async () => {
    const other = world.as('hospital-b', 'hospital-b');
    const condition = `identifier=${IDENTIFIERS}|110101${ANNA}`;
    const create = () => other.post('Patient', patient(undefined), { 'if-none-exist': condition });
    const dangling = await other.post('Observation', observation(`Patient?${condition}`));
    assert.equal(dangling.status, 400, 'it refers to nobody that this institution knows');
    const first = await create();
    assert.equal(first.status, 201, 'as if nobody elsewhere had the identifier');
    assert.equal((await create()).status, 200, 'its own');
    const update = await other.put(`Patient?${condition}`, { ...patient(undefined), gender: 'male' });
    assert.deepEqual([update.status, update.json<Patient>().id], [200, first.json<Patient>().id]);
    assert.equal(await versions(), before);
  });

  test('cannot reach this base from a Bundle at its own, nor name another institution’s Organization its own', async () => {
    const other = world.as('hospital-b', 'hospital-b');
    const url = `${world.as('hospital-a').base}/Patient/${ANNA}`;
    const entry = [{ resource: patient(ANNA), request: { method: 'PUT', url } }];
    assert.equal((await other.post('', { resourceType: 'Bundle', type: 'transaction', entry })).status, 400);
    const batch = (await other.post('', { resourceType: 'Bundle', type: 'batch', entry })).json<Bundle>();
    assert.deepEqual(statusesOf(batch), ['400']);
    const organization = { resourceType: 'Organization', id: 'hospital-a', name: 'mine' };
    assert.equal((await other.put('Organization/hospital-a', organization)).status, 403);
    assert.equal(await versions(), before);
  });

  test('reads nothing of it, as anybody', async () => {
    for (const client of ['hospital-b', 'research-institute']) {
      for (const { type, id } of records) {
        assert.equal((await world.as(client).get(`${type}/${id}`)).status, 404, `${client} ${type}/${id}`);
      }
    }
  });

  test('a client that may only read writes nowhere', async () => {
    for (const institution of ['research-institute', 'hospital-a']) {
      const client = world.as('research-institute', institution);
      assert.equal((await client.post('Patient', patient(undefined))).status, 403);
      assert.equal((await client.put(`Patient/${ANNA}`, patient(ANNA))).status, 403);
      assert.equal((await client.delete(`Patient/${ANNA}`)).status, 403);
    }
  });
});

function patient(id: string | undefined) {
  return {
    resourceType: 'Patient',
    ...(id && { id }),
    gender: 'unknown',
    identifier: [{ system: IDENTIFIERS, value: `110101${id ?? ANNA}` }],
  };
}

function observation(reference: string) {
  return { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference } };
}

function transaction(type: string) {
  const put = { resource: patient('@'), request: { method: 'PUT', url: 'Patient/@' } };
  const remove = { request: { method: 'DELETE', url: 'Observation/hb-2021-@' } };
  return { resourceType: 'Bundle', type, entry: [put, remove] };
}

/** The message with `@` replaced wherever it stands. */
function about(message: Message, name: string): Message {
  return JSON.parse(JSON.stringify(message).replaceAll('@', name)) as Message;
}

function statusesOf({ entry = [] }: Bundle): readonly (string | undefined)[] {
  return entry.map(({ response }) => response?.status);
}
