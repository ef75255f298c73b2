import assert from 'node:assert/strict';
import { after } from 'node:test';
import { Client } from 'pg';
import { callAdministration, connect } from '../../src/cli/connection.ts';
import type { Finding, ScrubEvent, Summary } from '../../src/interactions/scrub/events.ts';
import { cachedToken, fhirClient } from '../support/fhir-client.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';

interface ScrubResult {
  readonly findings: readonly Finding[];
  readonly summary: Summary;
}

/** A node with a few records, all of them anchored, and PostgreSQL's superuser to damage them with. */
export interface ScrubWorld {
  readonly node: TestNode;
  readonly records: Client;
  readonly keys: Client;
  scrub(options?: { readonly sweep?: boolean; readonly mend?: boolean }): Promise<ScrubResult>;
  put(resource: { readonly resourceType: string; readonly id: string }): Promise<void>;
  /** Until nothing waits for its number or its anchor. */
  settle(): Promise<void>;
}

const PATIENT = { resourceType: 'Patient', id: 'one', active: true };
const OF_PATIENT = { subject: { reference: 'Patient/one' } };

function observation(id: string, value: number) {
  const code = { coding: [{ system: 'http://loinc.org', code: '8867-4' }] };
  return { resourceType: 'Observation', id, status: 'final', code, valueInteger: value, ...OF_PATIENT };
}

export async function startScrubWorld(): Promise<ScrubWorld> {
  const node = await startTestNode({ after: (run) => after(run) });
  const [records, keys] = [connectTo(node.databases?.recordsUrl), connectTo(node.databases?.keysUrl)];
  await Promise.all([records.connect(), keys.connect()]);
  after(() => Promise.all([records.end(), keys.end()]));
  const client = fhirClient(
    `${node.url}/hospital-a/fhir`,
    cachedToken(() => node.token('hospital-a')),
  );

  const world: ScrubWorld = {
    node,
    records,
    keys,
    async scrub(wishes = {}) {
      const response = await callAdministration(connect(node.dataDirectory), 'POST', '/admin/scrub', wishes);
      const lines = (await response.text()).trim().split('\n');
      const events = lines.map((line) => JSON.parse(line) as ScrubEvent);
      const summary = events.at(-1);
      assert.equal(summary?.event, 'summary', JSON.stringify(summary));
      return { findings: events.filter((event) => event.event === 'finding'), summary: summary as Summary };
    },
    async put(resource) {
      const { status, text } = await client.put(`${resource.resourceType}/${resource.id}`, resource);
      assert.ok(status === 200 || status === 201, text);
    },
    async settle() {
      await until('every leaf is anchored', async () => {
        const { rows } = await records.query(
          'select from leaf_pending union all select from batch where anchored_at is null',
        );
        return rows.length === 0;
      });
    },
  };
  await world.put(PATIENT);
  await world.settle();
  for (const [index, id] of ['first', 'second', 'third'].entries()) await world.put(observation(id, index));
  // A second version, a deletion, and content that is larger than one block.
  await world.put(observation('second', 80));
  const { status } = await client.delete('Observation/third');
  assert.equal(status, 204);
  const data = Buffer.alloc(700_000, 'medseal').toString('base64');
  const attachment = { contentType: 'text/plain', data };
  await world.put({ resourceType: 'Media', id: 'large', status: 'completed', content: attachment, ...OF_PATIENT } as {
    resourceType: string;
    id: string;
  });
  await world.settle();
  return world;
}

function connectTo(connectionString: string | undefined): Client {
  assert.ok(connectionString !== undefined);
  const client = new Client({ connectionString });
  // The server that the tests share may be stopped before this one's hook runs.
  client.on('error', () => undefined);
  return client;
}
