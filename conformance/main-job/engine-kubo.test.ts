/** A server whose content store is a private IPFS network of real Kubo nodes. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readRoots } from '../../src/cli/data-directory.ts';
import { cidOf } from '../../src/storage/content/cid.ts';
import { verifyEvidence } from '../../src/trail/evidence/verify.ts';
import { accepted, clientOf, observation, patient } from '../faults/node-records.ts';
import { onRecords, untilAnchored } from '../faults/records-database.ts';
import { scrubFindings } from '../faults/scrub.ts';
import { skippedWithout, versionOf } from '../support/engines.ts';
import { type KuboNode, rpc, startKubo } from '../support/kubo.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';

interface Readiness {
  readonly ready: boolean;
  readonly content: { readonly reachable: boolean; readonly nodes: readonly { readonly reachable: boolean }[] };
}

async function readinessOf({ url }: TestNode): Promise<Readiness> {
  return (await (await fetch(`${url}/ready`)).json()) as Readiness;
}

async function metric({ url }: TestNode, name: string): Promise<readonly number[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => Number(line.split(' ').at(-1)));
}

describe(`a server on Kubo ${versionOf('ipfs')}`, { skip: skippedWithout('ipfs') }, () => {
  test('ingests, anchors, proves, scrubs clean; nodes go away and come back, and nothing is lost', async (context) => {
    const nodes = (await startKubo(context, 3)) as [KuboNode, KuboNode, KuboNode];
    const apis = nodes.map(({ api }) => api).join();
    const server = await startTestNode(context, { env: { MEDSEAL_IPFS_API: apis } });
    const hospital = clientOf(server, 'hospital-a');
    await accepted(hospital.put('Patient/kubo', patient('kubo', '一')));
    await accepted(hospital.put('Observation/kubo', observation('kubo', 'Patient/kubo', 1)));
    await untilAnchored(server);
    assert.equal(existsSync(join(server.dataDirectory, 'content')), false);

    const { ready, content } = await readinessOf(server);
    assert.deepEqual(
      [ready, content.reachable, ...content.nodes.map(({ reachable }) => reachable)],
      Array(5).fill(true),
    );
    assert.deepEqual(await metric(server, 'medseal_content_reachable'), [1, 1, 1]);

    const evidence = await accepted(hospital.get('Patient/kubo/_history/1/$evidence'));
    const roots = readRoots(join(server.dataDirectory, 'roots.json'));
    assert.equal(verifyEvidence(Buffer.from(evidence.text), roots).record, 'hospital-a/Patient/kubo');
    await assertPinnedOn(server, nodes);
    assert.deepEqual(await scrubFindings(server), []);

    // All of them gone: only anchoring waits.
    for (const node of nodes) await node.kill9();
    await accepted(hospital.put('Patient/kubo', patient('kubo', '二')));
    await accepted(hospital.get('Patient/kubo'));
    await accepted(hospital.get('Observation?subject=Patient/kubo'));
    await until('the store is told to be gone', async () => !(await readinessOf(server)).content.reachable);
    assert.equal((await readinessOf(server)).ready, true);
    assert.deepEqual(await metric(server, 'medseal_content_reachable'), [0, 0, 0]);

    // Two of three are enough.
    await nodes[0].restart();
    await nodes[1].restart();
    await untilAnchored(server);
    assert.deepEqual(await scrubFindings(server), []);
    await nodes[2].restart();
    await server.restart();
    await accepted(hospital.put('Patient/kubo', patient('kubo', '三')));
    await untilAnchored(server);
    assert.deepEqual(await scrubFindings(server), []);
  });
});

/** Every batch's manifest on every node, and every sealed version's block, byte for byte. */
async function assertPinnedOn(server: TestNode, nodes: readonly KuboNode[]): Promise<void> {
  const batches = await onRecords<{ manifest: string }>(server, 'select manifest from batch');
  const versions = await onRecords<{ sealed: string }>(
    server,
    'select sealed from resource_version where sealed is not null',
  );
  assert.ok(batches.length > 0 && versions.length > 0);
  for (const { api } of nodes) {
    for (const { manifest } of batches) {
      await until(`${manifest} is pinned`, async () => (await rpc(api, 'pin/ls?type=recursive')).includes(manifest));
    }
    for (const { sealed } of versions) {
      const cid = cidOf('raw', Buffer.from(sealed, 'latin1'));
      assert.equal(await rpc(api, `block/get?arg=${cid}&offline=true`), sealed);
    }
  }
}
