/** Kubo killed, paused, and out of disk space under load: writes and reads go on, and the backlog drains in order. */
import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { skippedWithout, versionOf } from '../support/engines.ts';
import { type KuboNode, type KuboOptions, smallDiskAbsent, startKubo } from '../support/kubo.ts';
import { until } from '../support/until.ts';
import { type DrillStage, stageOf } from './drill.ts';
import { startDrillNode } from './drill-node.ts';
import { runOutage } from './outage.ts';

/** A server with the one Kubo node, which then is all of the content store. */
async function startStage(test: TestContext, options: KuboOptions = {}): Promise<DrillStage & { kubo: KuboNode }> {
  const [kubo] = (await startKubo(test, 1, options)) as [KuboNode];
  const node = await startDrillNode(test, { env: { MEDSEAL_IPFS_API: kubo.api } });
  return { ...stageOf(node), kubo };
}

suite(`outages of Kubo ${versionOf('ipfs')}`, { skip: skippedWithout('ipfs') }, () => {
  test('killed', async (context) => {
    const { kubo, ...stage } = await startStage(context);
    let gone = false;
    await runOutage(stage, {
      meanwhile: ({ everyoneWorks }) => everyoneWorks(),
      async begin() {
        gone = true;
        await kubo.kill9();
      },
      async end() {
        if (gone) await kubo.restart();
        gone = false;
      },
    });
  });

  test('paused', async (context) => {
    const { kubo, ...stage } = await startStage(context);
    await runOutage(stage, {
      begin: () => kubo.pause(),
      meanwhile: ({ everyoneWorks }) => everyoneWorks(),
      end: () => kubo.resume(),
    });
  });

  test('no space left on its disk', { skip: smallDiskAbsent() }, async (context) => {
    const { kubo, ...stage } = await startStage(context, { datastore: 'flatfs', diskBytes: 64 * 1024 * 1024 });
    await runOutage(stage, {
      meanwhile: ({ everyoneWorks }) => everyoneWorks(),
      async begin() {
        kubo.fillDisk();
        await until('a batch does not fit', () => stage.node.log().includes('has no space left'));
      },
      end: () => kubo.emptyDisk(),
    });
    assert.ok(stage.node.log().includes('storage-full'));
  });
});
