/**
 * Ledger and content store are away while an hour's worth is written, some 4,200 resources as fast as they go: everything goes
 * on, and afterwards is stored and anchored in order, nothing lost and nothing twice.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { newRecords } from '../performance/population.ts';
import { call } from '../ports/ledger-fixtures.ts';
import { skippedWithout } from '../support/engines.ts';
import type { FhirClient } from '../support/fhir-client.ts';
import { type KuboNode, startKubo } from '../support/kubo.ts';
import { type TestNetwork, testNetwork } from '../support/test-network.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { accepted, clientOf } from './node-records.ts';
import { onRecords, untilAnchored } from './records-database.ts';
import { scrubFindings } from './scrub.ts';

const BUNDLES = 40;

suite('a backlog', { skip: skippedWithout('peer', 'ipfs') }, () => {
  let network: TestNetwork;
  let node: TestNode;
  let kubo: KuboNode;
  let hospital: FhirClient;
  const hooks: (() => Promise<void>)[] = [];

  before(async () => {
    network = await testNetwork('raft');
    const lifetime = { after: (hook: () => Promise<void>) => hooks.unshift(hook) };
    [kubo] = (await startKubo(lifetime, 1)) as [KuboNode];
    const env = {
      MEDSEAL_FABRIC: network.network.clientConfigFile(network.organisation('hospital-a')),
      MEDSEAL_IPFS_API: kubo.api,
    };
    node = await startTestNode(lifetime, { env });
    hospital = clientOf(node, 'hospital-a');
  });
  after(async () => {
    for (const hook of hooks) await hook();
    await network?.close();
  });

  test('is taken, told of, and drained in order', async () => {
    await accepted(hospital.put('Patient/first', { resourceType: 'Patient', id: 'first' }));
    await untilAnchored(node, 60_000);
    await network.network.end(network.network.nodes, 'SIGKILL');
    await kubo.kill9();

    const pushes = newRecords();
    const versionsBefore = await versions();
    let entries = 0;
    for (let n = 0; n < BUNDLES; n++) {
      const { body, entries: more } = pushes.next().value as { body: Buffer; entries: number };
      await accepted(hospital.post('', body));
      entries += more;
    }
    await until('the state is told', async () => /^medseal_ledger_reachable 0$/m.test(await metrics()));
    const waiting = Number(/^medseal_unanchored_leaves\{log="records"\} (\d+)/m.exec(await metrics())?.[1]);
    assert.ok(waiting >= entries, `${waiting} of ${entries}`);
    assert.equal((await fetch(`${node.url}/ready`)).status, 200);
    assert.equal((await hospital.get('Patient/first')).status, 200);
    const { content } = (await (await fetch(`${node.url}/ready`)).json()) as { content: { reachable: boolean } };
    assert.equal(content.reachable, false);
    await node.restart();
    await accepted(hospital.put('Patient/restarted', { resourceType: 'Patient', id: 'restarted' }));

    // One after the other: with the store back, and no ledger, batches wait stored.
    await kubo.restart();
    network.network.start(network.network.nodes);
    await network.network.ready();
    await untilAnchored(node, 120_000);
    assert.deepEqual(await scrubFindings(node), []);
    const batches = await onRecords<{ size: string; block: string }>(
      node,
      `select b.size, b.block from batch b join institution i on i.id = b.institution
       where i.name = 'hospital-a' and b.log = 1 order by b.size`,
    );
    assert.equal((await versions()) - versionsBefore, entries + 1, 'what was acknowledged, and that once');
    const onLedger = await history();
    assert.deepEqual(
      onLedger,
      batches.map(({ size }) => Number(size)),
      'each batch once',
    );
    const blocks = batches.map(({ block }) => Number(block));
    assert.deepEqual(
      blocks,
      blocks.toSorted((a, b) => a - b),
      'oldest first',
    );
    assert.match(await metrics(), /^medseal_unanchored_leaves\{log="records"\} 0$/m);
  });

  /** Of records that somebody sent. */
  async function versions(): Promise<number> {
    const [row] = await onRecords<{ n: string }>(
      node,
      `select count(*) as n from resource_version where type <> 'Provenance'`,
    );
    return Number(row?.n);
  }

  async function metrics(): Promise<string> {
    return (await fetch(`${node.url}/metrics`)).text();
  }

  /** Sizes that the ledger holds, oldest first. */
  async function history(): Promise<readonly number[]> {
    const ledger = network.open(network.organisation('research-institute'));
    const sizes: number[] = [];
    for (let from = ''; ; ) {
      const answer = await ledger.evaluate(call('anchor', 'history', 'hospital-a', 'records', from, '100'));
      const { items } = JSON.parse(Buffer.from(answer).toString('utf8')) as {
        items: { size: number; sequence: number }[];
      };
      sizes.unshift(...items.map(({ size }) => size).reverse());
      const last = items.at(-1);
      if (last === undefined || items.length < 100) return sizes;
      from = String(last.sequence);
    }
  }
});
