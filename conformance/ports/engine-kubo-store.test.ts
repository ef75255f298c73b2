/** What Kubo's adapter promises beyond the port: several nodes, any of which may fail. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/logger.ts';
import { type KuboStore, openKuboStore } from '../../src/storage/content/kubo/kubo-store.ts';
import { DEADLINES } from '../../src/storage/content/kubo/node.ts';
import type { Batch } from '../../src/storage/content/port.ts';
import { skippedWithout, versionOf } from '../support/engines.ts';
import { blockFile, type KuboNode, rpc, startKubo } from '../support/kubo.ts';
import { until } from '../support/until.ts';
import { batchOf } from './content-process.ts';

const QUICK = { ...DEADLINES, ping: 300, read: 500, call: 2000, transfer: 2000, list: 2000 };

function storeOn(test: TestContext, nodes: readonly KuboNode[], logger = silentLogger): KuboStore {
  const apis = nodes.map(({ api }) => api);
  const store = openKuboStore({ apis, logger, deadlines: QUICK, repairInterval: Number.POSITIVE_INFINITY });
  test.after(() => store.close());
  return store;
}

async function assertKept(store: KuboStore, { root, blocks }: Batch): Promise<void> {
  for (const { cid, bytes } of blocks) assert.deepEqual(await store.get(cid), Uint8Array.from(bytes), root);
}

/** A node that lacks a pin which it was not reachable for. */
async function waitForPin({ api }: KuboNode, root: string): Promise<void> {
  await until(`${root} is pinned`, async () => (await rpc(api, 'pin/ls?type=recursive')).includes(root));
}

describe(`several Kubo nodes, ${versionOf('ipfs')}`, { skip: skippedWithout('ipfs') }, () => {
  test('one node killed: puts and gets go on; a repair brings it what it missed', async (context) => {
    const nodes = await startKubo(context, 3);
    const [, , third] = nodes as [KuboNode, KuboNode, KuboNode];
    const store = storeOn(context, nodes);
    await store.put(batchOf(1, 0));
    await third.kill9();
    await store.put(batchOf(1, 1));
    await assertKept(store, batchOf(1, 0));
    await assertKept(store, batchOf(1, 1));
    assert.equal((await Array.fromAsync(store.roots())).length, 2);
    assert.deepEqual((await store.repair()).unreachable, [new URL(third.api).host]);
    await third.restart();
    assert.deepEqual(await store.repair(), { batches: 2, copied: 1, failed: 0, unreachable: [] });
    assert.equal((await store.repair()).copied, 0);
    const alone = storeOn(context, [third]);
    await assertKept(alone, batchOf(1, 0));
    await assertKept(alone, batchOf(1, 1));
  });

  test('the first node paused: nobody waits longer than a deadline, and what it was sent it has once it goes on', async (context) => {
    const nodes = await startKubo(context, 3);
    const [first] = nodes as [KuboNode];
    const store = storeOn(context, nodes);
    await store.put(batchOf(2, 0));
    first.pause();
    for (let number = 1; number < 10; number++) {
      await store.put(batchOf(2, number));
      await assertKept(store, batchOf(2, number));
    }
    const { reachable, nodes: told = [] } = await store.status();
    assert.deepEqual([reachable, ...told.map((node) => node.reachable)], [true, false, true, true]);
    first.resume();
    await until('all is repaired', async () => {
      const { unreachable, failed } = await store.repair();
      return unreachable.length === 0 && failed === 0;
    });
    for (let number = 0; number < 10; number++) await waitForPin(first, batchOf(2, number).root);
  });

  test('two of three gone: a put is refused, and nobody is told that a list is complete', async (context) => {
    const nodes = await startKubo(context, 3);
    const store = storeOn(context, nodes);
    await store.put(batchOf(3, 0));
    for (const node of nodes.slice(1)) await node.kill9();
    await assert.rejects(store.put(batchOf(3, 1)), { code: 'storage-unavailable' });
    await assert.rejects(Array.fromAsync(store.roots()), { code: 'storage-unavailable' });
    await assert.rejects(store.remove(batchOf(3, 0).root), { code: 'storage-unavailable' });
    await assertKept(store, batchOf(3, 0));
    await assert.rejects(store.get(batchOf(3, 2).root), { code: 'storage-unavailable' });
    for (const node of nodes.slice(1)) await node.restart();
    await store.put(batchOf(3, 1));
    await assertKept(store, batchOf(3, 1));
  });

  test('a pin that somebody took away comes back with a repair; a batch that was removed does not', async (context) => {
    const nodes = await startKubo(context, 2);
    const [first] = nodes as [KuboNode];
    const store = storeOn(context, nodes);
    const [kept, removed] = [batchOf(4, 0), batchOf(4, 1)];
    await store.put(kept);
    await store.put(removed);
    await store.remove(removed.root);
    await rpc(first.api, `pin/rm?arg=${kept.root}`);
    await rpc(first.api, 'repo/gc?quiet=true');
    assert.equal((await store.repair()).copied, 1);
    await waitForPin(first, kept.root);
    assert.deepEqual(await Array.fromAsync(store.roots()), [kept.root]);
  });

  test("others' pins are neither listed nor touched", async (context) => {
    const nodes = await startKubo(context, 2);
    const [first] = nodes as [KuboNode];
    const [own, other] = [batchOf(5, 0), batchOf(5, 1)];
    const store = storeOn(context, nodes);
    await store.put(own);
    await store.put(other);
    await rpc(first.api, `pin/rm?arg=${other.root}`);
    await rpc(first.api, `pin/add?arg=${other.root}&name=somebody-else`);
    await store.remove(own.root);
    const second = storeOn(context, [first]);
    assert.deepEqual(await Array.fromAsync(second.roots()), []);
    assert.ok((await rpc(first.api, 'pin/ls?type=recursive')).includes(other.root));
  });
});

describe(`damage on a Kubo node, ${versionOf('ipfs')}`, { skip: skippedWithout('ipfs') }, () => {
  test('a block that is damaged on the one node is told of, and the next put mends it', async (context) => {
    const [node] = (await startKubo(context, 1, { datastore: 'flatfs' })) as [KuboNode];
    const store = storeOn(context, [node]);
    const batch = batchOf(6, 0);
    await store.put(batch);
    const [{ cid, bytes }] = batch.blocks as [Batch['blocks'][number]];
    writeFileSync(blockFile(node, bytes), 'damaged');
    await assert.rejects(store.get(cid), { code: 'sealed-content-damaged' });
    await store.put(batch);
    await assertKept(store, batch);
  });

  test('a block that is damaged or missing on one of two nodes is read from the other', async (context) => {
    const nodes = await startKubo(context, 2, { datastore: 'flatfs' });
    const [first] = nodes as [KuboNode];
    const store = storeOn(context, nodes);
    const batch = batchOf(7, 1);
    await store.put(batch);
    const [one, other] = batch.blocks as [Batch['blocks'][number], Batch['blocks'][number]];
    writeFileSync(blockFile(first, one.bytes), 'damaged');
    rmSync(blockFile(first, other.bytes));
    await assertKept(store, batch);
    // The missing one is brought back; the damaged one is Kubo's own to heal.
    const alone = storeOn(context, [first]);
    await until('it is there again', async () => {
      return (await alone.get(other.cid).catch(() => undefined)) !== undefined;
    });
    await assert.rejects(alone.get(one.cid), { code: 'sealed-content-damaged' });
    await store.put(batch);
    await assertKept(alone, batch);
  });

  test('a datastore that loses what it acknowledged is warned of', async (context) => {
    const nodes = await startKubo(context, 1, { datastore: 'flatfs-unsynced' });
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) };
    await storeOn(context, nodes, logger).repair();
    assert.match(warnings.join(), /may lose batches in a power failure/);
  });
});
