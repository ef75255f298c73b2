/**
 * One of four orderers is gone, and one institution does what it should not: its server submits a log that it has
 * rewritten, and its own peer endorses whatever it likes. The others refuse, and an alarm is raised.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { call, extension, run, startedLog } from '../ports/ledger-fixtures.ts';
import { skippedWithout } from '../support/engines.ts';
import { endorseAnew, keysOf } from '../support/fabric-forge.ts';
import type { FhirClient } from '../support/fhir-client.ts';
import { type TestNetwork, testNetwork } from '../support/test-network.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { accepted, clientOf, patient, writesOf } from './node-records.ts';
import { onRecords, untilAnchored } from './records-database.ts';

const ANCHOR = call('anchor', 'read', 'hospital-a', 'records');

suite('one institution that lies, and an orderer less', { skip: skippedWithout('peer') }, () => {
  let network: TestNetwork;
  let node: TestNode;
  let hospital: FhirClient;
  const hooks: (() => Promise<void>)[] = [];

  before(async () => {
    network = await testNetwork('bft');
    const env = { MEDSEAL_FABRIC: network.network.clientConfigFile(network.organisation('hospital-a')) };
    node = await startTestNode({ after: (hook) => hooks.push(hook) }, { env, institutions: ['hospital-a'] });
    hospital = clientOf(node, 'hospital-a');
    await network.network.end(['health-authority.orderer'], 'SIGKILL');
    for (let n = 0; n < 5; n++) await accepted(hospital.put(`Patient/p${n}`, patient(`p${n}`, 'x')));
    await untilAnchored(node, 60_000);
  });
  after(async () => {
    for (const hook of hooks) await hook();
    await network?.close();
  });

  const head = async () => {
    const other = network.open(network.organisation('hospital-b'));
    return JSON.parse(Buffer.from(await other.evaluate(ANCHOR)).toString('utf8')) as { size: number; root: string };
  };

  test('a peer that endorses another outcome than the contract’s is not enough', async () => {
    const organisation = network.organisation('hospital-b');
    const keys = keysOf(dirname(network.network.rootsFile));
    const ledger = network.open(organisation);
    const institution = await startedLog(ledger, 3);
    const { bytes } = await ledger.prepare(call('anchor', 'append', await extension(institution, 3, 5)));
    const liar = { creator: keys.client(organisation), endorsers: [keys.peer(organisation)] };
    const alter = (state: Record<string, unknown>) => ({ ...state, root: 'ee'.repeat(32) });
    const { status } = await ledger.submit(endorseAnew(bytes, { ...liar, alter }));
    assert.equal(status, 'ENDORSEMENT_POLICY_FAILURE');
    const read = await ledger.evaluate(call('anchor', 'read', institution, 'records'));
    assert.equal(JSON.parse(Buffer.from(read).toString('utf8')).size, 3);
    assert.equal((await run(ledger, call('anchor', 'append', await extension(institution, 3, 5)))).status, 'VALID');
  });

  test('a server whose log was rewritten cannot anchor it: refused, counted, told', async () => {
    const before = await head();
    await node.stop();
    // The first leaf is another one now, and the whole tree above it.
    await onRecords(
      node,
      `update log_tile set hashes = decode(repeat('ee', 32), 'hex') || substr(hashes, 33)
       where log = 1 and level = 0 and number = 0`,
    );
    await node.restart();
    await accepted(hospital.put('Patient/after', patient('after', 'x')));
    const held = async () =>
      (await onRecords<{ held: string }>(node, 'select held from batch where held is not null')).map((row) => row.held);
    await until('the batch is held', async () => (await held()).includes('anchor-inconsistent'));
    assert.deepEqual(await head(), before);
    const metrics = await (await fetch(`${node.url}/metrics`)).text();
    assert.match(metrics, /^medseal_held_batches_total\{reason="anchor-inconsistent"\} [1-9]/m);
    assert.match(node.log(), /a batch could not be anchored/);
  });

  test('a server whose anchored batches were rewritten as well takes no writes', async () => {
    await node.stop();
    await onRecords(
      node,
      `update batch set root = decode(repeat('ee', 32), 'hex') where log = 1 and anchored_at is not null`,
    );
    await node.restart();
    await until('writes are refused', async () => (await writesOf(node)) !== 'accepted');
    assert.equal(await writesOf(node), 'a log differs from what the ledger anchors');
    assert.equal((await hospital.put('Patient/no', patient('no', 'x'))).status, 503);
    assert.equal((await hospital.get('Patient/p0')).status, 200, 'reads go on');
  });

  test('an anchor that somebody else submits with its key is noticed', async () => {
    const organisation = network.organisation('research-institute');
    const env = { MEDSEAL_FABRIC: network.network.clientConfigFile(organisation) };
    const victim = await startTestNode(
      { after: (hook) => hooks.push(hook) },
      { env, institutions: ['research-institute'] },
    );
    assert.equal(await writesOf(victim), 'accepted');
    await startedLog(network.open(organisation));
    await until('writes are refused', async () => (await writesOf(victim)) !== 'accepted');
    const metrics = await (await fetch(`${victim.url}/metrics`)).text();
    assert.match(metrics, /^medseal_ledger_alarms_total\{alarm="anchor-unknown"\} 1/m);
  });
});
