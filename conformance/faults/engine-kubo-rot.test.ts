/** The only Kubo node rots: nobody else has the blocks, but the database still has what they were made of. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { skippedWithout, versionOf } from '../support/engines.ts';
import { blockFile, type KuboNode, rpc, startKubo } from '../support/kubo.ts';
import { startTestNode } from '../support/test-node.ts';
import { accepted, clientOf, observation, patient } from './node-records.ts';
import { onRecords, untilAnchored } from './records-database.ts';
import { scrubFindings } from './scrub.ts';

suite(`a Kubo node that rots, ${versionOf('ipfs')}`, { skip: skippedWithout('ipfs') }, () => {
  test('is told of, and mended by the very same blocks', async (context) => {
    const [kubo] = (await startKubo(context, 1, { datastore: 'flatfs' })) as [KuboNode];
    const node = await startTestNode(context, { env: { MEDSEAL_IPFS_API: kubo.api } });
    const hospital = clientOf(node, 'hospital-a');
    for (const [id, value] of [
      ['p1', '一'],
      ['p2', '二'],
    ] as const) {
      await accepted(hospital.put(`Patient/${id}`, patient(id, value)));
      await untilAnchored(node);
    }
    await accepted(hospital.put('Observation/o1', observation('o1', 'Patient/p1', 1)));
    await untilAnchored(node);
    const sealed = await onRecords<{ sealed: string }>(
      node,
      `select sealed from resource_version where type <> 'Provenance' and sealed is not null order by id`,
    );
    const [first, second] = sealed.map((row) => Buffer.from(row.sealed));
    const [{ manifest } = { manifest: '' }] = await onRecords<{ manifest: string }>(
      node,
      'select manifest from batch where log = 1 order by size desc limit 1',
    );
    writeFileSync(blockFile(kubo, first ?? assert.fail()), 'damaged');
    rmSync(blockFile(kubo, second ?? assert.fail()));
    await rpc(kubo.api, `pin/rm?arg=${manifest}`);
    await rpc(kubo.api, `block/rm?arg=${manifest}`);

    const kinds = (findings: Awaited<ReturnType<typeof scrubFindings>>) =>
      findings.map(({ kind, mended = false }) => `${kind}${mended ? ', mended' : ''}`).toSorted();
    const found = ['block-damaged', 'block-missing', 'manifest-missing'];
    const told = await scrubFindings(node);
    assert.deepEqual(
      kinds(told).filter((kind) => !found.includes(kind)),
      [],
    );
    assert.deepEqual(new Set(kinds(told)), new Set(found));
    const mended = kinds(await scrubFindings(node, { mend: true }));
    assert.deepEqual(
      mended,
      kinds(told).map((kind) => `${kind}, mended`),
    );
    assert.deepEqual(await scrubFindings(node), []);
    assert.ok((await rpc(kubo.api, 'pin/ls?type=recursive')).includes(manifest), 'and pinned again');
  });
});
