/** Times at the edges of the calendar, and names that no database can hold: found by generated requests. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bundle, Consent } from '@medplum/fhirtypes';
import { researchConsent } from '../../src/demo/consent.ts';
import { startWorld } from './world.ts';

/** Each goes beyond the years 1 to 9999, by its end or by its zone. */
const EDGES = ['9999', '9999-12-31T23:59:59.999-14:00', '0001-01-01T00:00:00+14:00', '0001'];

suite('edges', async () => {
  const world = await startWorld();
  const client = world.as('hospital-a');
  await client.put('Patient/edge', { resourceType: 'Patient', id: 'edge' });

  for (const edge of EDGES) {
    const time = encodeURIComponent(edge);
    test(`${edge} is a time like others wherever one is asked for`, async () => {
      for (const path of [
        `Patient/_history?_at=${time}`,
        `Patient/_history?_since=${time}`,
        `Patient/edge/$everything?_since=${time}`,
        ...['', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'].flatMap((prefix) => [
          `Patient?_lastUpdated=${prefix}${time}`,
          `Patient?birthdate=${prefix}${time}`,
          `AuditEvent?date=${prefix}${time}`,
        ]),
      ]) {
        const answer = await client.get(path);
        assert.ok(answer.status === 200 || answer.status === 400, `${path}: ${answer.status} ${answer.text}`);
      }
      const explained = await client.get(`Patient/edge/$explain-access?at=${time}`);
      assert.ok([200, 404].includes(explained.status), explained.text);
    });
  }

  test('what is there lies between them', async () => {
    const found = async (query: string) =>
      ((await client.get(`Patient?_id=edge&${query}`)).json<Bundle>().entry ?? []).length;
    assert.deepEqual(
      [await found('_lastUpdated=lt9999-12-31T23:59:59-14:00'), await found('_lastUpdated=gt0001')],
      [1, 1],
    );
    assert.deepEqual([await found('_lastUpdated=9999'), await found('_lastUpdated=lt0001')], [0, 0]);
  });

  test('a consent holds from the beginning of the calendar to its end', async () => {
    const consent: Consent = researchConsent('edge', 'edge', 'active', '2024-01-01');
    const period = { start: '0001-01-01T00:00:00+14:00', end: '9999-12-31T23:59:59-14:00' };
    const { status, text } = await world
      .as('patient:edge')
      .put('Consent/edge', { ...consent, provision: { ...consent.provision, period } });
    assert.equal(status, 201, text);
    const other = await world.as('research-institute', 'hospital-a').get('Patient/edge');
    assert.equal(other.status, 200, other.text);
  });

  test('a client or an institution whose name is no text is not there', async () => {
    const operator = world.as('operator');
    assert.equal((await operator.delete('/admin/clients/%00')).status, 404);
    assert.equal((await operator.post('/admin/institutions/x%00', { validation: 'base' })).status, 404);
    const review = { outcome: 'justified', note: 'x' };
    assert.equal((await operator.post('/admin/emergencies/x%00', review)).status, 404);
  });
});
