/** A search ends by its time-out with an OperationOutcome, and gives back what it held. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { OperationOutcome } from '@medplum/fhirtypes';
import { Client } from 'pg';
import { startTestNode } from '../support/test-node.ts';

/** The reader's pool has eight connections. */
const AT_ONCE = 12;

suite('the time that a search may take', async () => {
  const node = await startTestNode(
    { after: (hook) => after(hook as () => Promise<void>) },
    { env: { MEDSEAL_SEARCH_TIMEOUT: '2' } },
  );
  const base = `${node.url}/hospital-a/fhir`;
  const authorization = `Bearer ${await node.token('hospital-a')}`;
  const get = (path: string) => fetch(`${base}/${path}`, { headers: { authorization } });
  const created = await fetch(`${base}/Patient`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Patient', name: [{ family: 'Wang' }] }),
  });
  const { id } = (await created.json()) as { id: string };

  /** While the views cannot be asked, and nothing else is held up: a search's statement waits as long as it may. */
  async function stuck(work: () => Promise<void>): Promise<void> {
    const client = new Client({ connectionString: node.databases?.recordsUrl });
    await client.connect();
    try {
      await client.query('begin; lock table consent_rule in access exclusive mode');
      await work();
    } finally {
      await client.end();
    }
  }

  for (const path of ['Patient?name=Wang', 'Patient?name:contains=an&_summary=count', 'Patient?_sort=birthdate'])
    test(`ends ${path}`, async () => {
      await stuck(async () => {
        const answer = await get(path);
        const outcome = (await answer.json()) as OperationOutcome;
        assert.equal(answer.status, 503);
        assert.deepEqual(
          [outcome.resourceType, outcome.issue[0]?.code, outcome.issue[0]?.details?.coding?.[0]?.code],
          ['OperationOutcome', 'timeout', 'timed-out'],
        );
        assert.equal(outcome.issue[0]?.diagnostics, 'The search took longer than 2 s; narrow it down');
      });
      assert.equal((await get(path)).status, 200);
    });

  test(`of ${AT_ONCE} at once, none keeps a connection or a place`, async () => {
    await stuck(async () => {
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => get('Patient?name=Wang')));
      for (const { status } of answers) assert.equal(status, 503);
    });
    const searches = Array.from({ length: AT_ONCE }, () => get('Patient?name:contains=ang&_total=accurate'));
    for (const { status } of await Promise.all(searches)) assert.equal(status, 200);
    assert.equal((await get(`Patient/${id}`)).status, 200);
  });

  test('one entry of a batch ends, the others are answered', async () => {
    await stuck(async () => {
      const answer = await fetch(base, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/fhir+json' },
        body: JSON.stringify({
          resourceType: 'Bundle',
          type: 'batch',
          entry: [
            { request: { method: 'GET', url: 'Patient?name=Wang' } },
            { request: { method: 'GET', url: 'metadata' } },
          ],
        }),
      });
      const { entry } = (await answer.json()) as { entry: { response: { status: string } }[] };
      assert.equal(answer.status, 200);
      assert.equal(entry[0]?.response.status.slice(0, 3), '503');
    });
  });
});
