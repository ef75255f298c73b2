import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type CrashPoint, type Faults, noFaults } from '../../src/faults.ts';
import { cidOf } from '../../src/storage/content/cid.ts';
import { type Batch, type ContentStore, MAX_BLOCK_BYTES } from '../../src/storage/content/port.ts';
import { runUntilKilled } from '../support/killed-process.ts';
import { seed } from '../support/seed.ts';
import {
  batchOf,
  batchOfBlocks,
  type ContentPlace,
  type OpenContentStore,
  openContentPlace,
  type PutterArguments,
} from './content-process.ts';

const ROUNDS = 3;
/** Where a batch is not kept yet when the process ends, and where it is. */
const BEFORE: readonly CrashPoint[] = ['content-before-put', 'disk-full', 'content-during-put', 'content-before-pin'];
const AFTER: readonly CrashPoint[] = ['content-pin-unknown', 'content-read-back', 'content-after-put'];

export interface ContentAdapter {
  readonly name: string;
  /** Why it cannot be tested here, or false. */
  readonly skip?: string | false;
  /** An empty place each time. */
  readonly makePlace: (test: TestContext) => Promise<ContentPlace>;
  /** Has a store that collects garbage in its own time do so now. */
  readonly collectGarbage?: (place: ContentPlace) => Promise<void>;
}

/** What every adapter of the content-store port must do. */
export function contentStoreContract(adapter: ContentAdapter): void {
  describe(`content store port: ${adapter.name}`, { skip: adapter.skip ?? false }, () => {
    const storeTest: StoreTest = (name, run) =>
      test(name, async (context) => {
        const opened = await open(adapter, await adapter.makePlace(context));
        try {
          await run(opened, seed(context).seed);
        } finally {
          await opened.close();
        }
      });
    testKeeping(storeTest);
    testRemoving(storeTest);
    testFaults(adapter);
    testKills(adapter);
  });
}

interface Opened extends OpenContentStore {
  /** Blocks that nothing keeps are gone afterwards. */
  readonly tidy: () => Promise<void>;
}

async function open({ collectGarbage }: ContentAdapter, place: ContentPlace, faults = noFaults): Promise<Opened> {
  const store = await openContentPlace(place, faults);
  return { ...store, tidy: async () => collectGarbage?.(place) };
}

type StoreTest = (name: string, run: (store: Opened, seed: number) => Promise<void>) => void;

function testKeeping(storeTest: StoreTest): void {
  storeTest('what was put is got, block by block', async (store, start) => {
    const batches = Array.from({ length: 5 }, (_, number) => batchOf(start, number));
    for (const batch of batches) await store.put(batch);
    for (const batch of batches) await assertKept(store, batch);
    assert.deepEqual(new Set(await roots(store)), new Set(batches.map(({ root }) => root)));
  });

  storeTest('a block of no batch, and a CID of another kind, are not there', async (store) => {
    await store.put(batchOf(1, 1));
    assert.equal(await store.get(cidOf('raw', Buffer.from('unknown'))), undefined);
    for (const other of ['', 'x', '../../etc/passwd', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG']) {
      assert.equal(await store.get(other), undefined);
    }
  });

  storeTest('empty and large blocks', async (store) => {
    const batch = batchOfBlocks([0, 1, MAX_BLOCK_BYTES].map((length) => Buffer.alloc(length, length % 251)));
    await store.put(batch);
    await assertKept(store, batch);
    await assert.rejects(store.put(batchOfBlocks([Buffer.alloc(MAX_BLOCK_BYTES + 1)])), { code: 'internal' });
  });

  storeTest('putting a batch again changes nothing, in whatever order its blocks come', async (store, start) => {
    const batch = batchOf(start, 0);
    await store.put(batch);
    await store.put({ ...batch, blocks: batch.blocks.toReversed() });
    await Promise.all([store.put(batch), store.put(batch)]);
    await assertKept(store, batch);
    assert.deepEqual(await roots(store), [batch.root]);
  });

  storeTest('many puts and gets at once', async (store, start) => {
    const batches = Array.from({ length: 40 }, (_, number) => batchOf(start, number));
    await Promise.all(
      batches.map(async (batch) => {
        await store.put(batch);
        await assertKept(store, batch);
      }),
    );
    await Promise.all(batches.map((batch) => assertKept(store, batch)));
    assert.equal((await roots(store)).length, batches.length);
  });

  storeTest('a batch with a wrong CID, or without its root, is refused as a whole', async (store, start) => {
    const { root, blocks } = batchOf(start, 0);
    const [first] = blocks;
    const forged = blocks.map((block) => (block === first ? { ...block, bytes: Buffer.from('other') } : block));
    await assert.rejects(store.put({ root, blocks: forged }), { code: 'internal' });
    await assert.rejects(store.put({ root, blocks: blocks.filter(({ cid }) => cid !== root) }), { code: 'internal' });
    for (const { cid } of blocks) assert.equal(await store.get(cid), undefined);
    assert.deepEqual(await roots(store), []);
  });

  storeTest('status tells how much is kept', async (store, start) => {
    await store.put(batchOf(start, 0));
    const status = await store.status();
    assert.equal(status.reachable, true);
    assert.equal(status.roots, 1);
    assert.ok((status.bytes ?? 0) > 0);
    assert.ok((status.freeBytes ?? 0) > 0);
  });
}

function testRemoving(storeTest: StoreTest): void {
  storeTest('a removed batch is gone, the others are not; it may come back', async (store, start) => {
    const [one, other] = [batchOf(start, 1), batchOf(start, 2)];
    await store.put(one);
    await store.put(other);
    await store.remove(one.root);
    await store.tidy();
    for (const { cid } of one.blocks) assert.equal(await store.get(cid), undefined);
    await assertKept(store, other);
    assert.deepEqual(await roots(store), [other.root]);
    await store.remove(one.root);
    await store.remove('unknown');
    await store.put(one);
    await assertKept(store, one);
  });

  storeTest('a block of two batches stays until both are removed', async (store, start) => {
    const one = batchOf(start, 1);
    const other = batchOfBlocks([Buffer.from('another'), ...one.blocks.slice(0, -1).map(({ bytes }) => bytes)]);
    for (const [first, second] of [
      [one, other],
      [other, one],
    ] as const) {
      await store.put(first);
      await store.put(second);
      await store.remove(second.root);
      await store.tidy();
      await assertKept(store, first);
      await store.remove(first.root);
      await store.tidy();
      for (const { cid } of other.blocks) assert.equal(await store.get(cid), undefined);
    }
  });
}

/** An error instead of the end of the process. */
function testFaults(adapter: ContentAdapter): void {
  for (const point of [...BEFORE, ...AFTER]) {
    test(`an error at ${point}: in full or not at all, and a second put succeeds`, async (context) => {
      const batch = batchOf(seed(context).seed, 0);
      let failures = 1;
      const faults: Faults = {
        ...noFaults,
        at: (reached) => (reached === point && failures-- > 0 ? Promise.reject(new Error('drill')) : Promise.resolve()),
      };
      const store = await open(adapter, await adapter.makePlace(context), faults);
      await assert.rejects(store.put(batch), { code: point === 'disk-full' ? 'storage-full' : 'storage-unavailable' });
      await assertAllOrNone(store, batch);
      assert.equal((await roots(store)).length, AFTER.includes(point) ? 1 : 0);
      await store.put(batch);
      await assertKept(store, batch);
      await store.close();
    });
  }

  test('a torn write is an error, and nothing of it is kept', async (context) => {
    const random = seed(context);
    const [kept, torn] = [batchOf(random.seed, 0), batchOf(random.seed, 1)];
    let tearing = false;
    const tear: Faults['tear'] = (point, length) =>
      tearing && point === 'content-during-put' ? random.integer(length) : undefined;
    const store = await open(adapter, await adapter.makePlace(context), { ...noFaults, tear });
    await store.put(kept);
    tearing = true;
    await assert.rejects(store.put(torn), { code: 'storage-unavailable' });
    await store.tidy();
    for (const { cid } of torn.blocks) assert.equal(await store.get(cid), undefined);
    await assertKept(store, kept);
    await store.close();
  });

  test('what comes back otherwise than it was sent is not kept; a second put succeeds', async (context) => {
    const random = seed(context);
    const batch = batchOf(random.seed, 0);
    let failures = 1;
    const tear: Faults['tear'] = (point, length) =>
      point === 'content-read-back' && failures-- > 0 ? random.integer(length) : undefined;
    const store = await open(adapter, await adapter.makePlace(context), { ...noFaults, tear });
    await assert.rejects(store.put(batch), { code: 'sealed-content-damaged' });
    assert.equal(await assertAllOrNone(store, batch), false);
    await store.put(batch);
    await assertKept(store, batch);
    await store.close();
  });
}

function testKills(adapter: ContentAdapter): void {
  const drill = (name: string, choose: (random: { integer(below: number): number }) => Drill) => {
    for (let round = 1; round <= ROUNDS; round++) {
      test(`${name}, ${round}: in full or not at all, and nothing acknowledged is lost`, async (context) => {
        const random = seed(context);
        const place = await adapter.makePlace(context);
        const { killAfter = Number.POSITIVE_INFINITY, die } = choose(random);
        const script = new URL('./content-process.ts', import.meta.url);
        const putter: PutterArguments = { place, seed: random.seed, ...(die === undefined ? {} : { die }) };
        const acknowledged = await runUntilKilled(script, putter, killAfter);
        const store = await open(adapter, place);
        for (const number of acknowledged) await assertKept(store, batchOf(random.seed, number));
        const next = batchOf(random.seed, acknowledged.length);
        const kept = await assertAllOrNone(store, next);
        if (die !== undefined) assert.equal(kept, AFTER.includes(die.point));
        assert.equal((await roots(store)).length, acknowledged.length + (kept ? 1 : 0));
        await store.put(next);
        await assertKept(store, next);
        await store.close();
      });
    }
  };
  drill('kill -9 at any time', (random) => ({ killAfter: 1 + random.integer(100) }));
  for (const point of [...BEFORE, ...AFTER]) {
    drill(`kill -9 at ${point}`, (random) => ({ die: { point, batch: random.integer(20) } }));
  }
  drill('kill -9 in a torn write', (random) => ({
    die: { point: 'content-during-put', batch: random.integer(20), torn: random.integer(1000) },
  }));
}

interface Drill {
  readonly killAfter?: number;
  readonly die?: NonNullable<PutterArguments['die']>;
}

async function roots(store: ContentStore): Promise<readonly string[]> {
  return Array.fromAsync(store.roots());
}

async function assertKept(store: ContentStore, { root, blocks }: Batch): Promise<void> {
  for (const { cid, bytes } of blocks) {
    const got = await store.get(cid);
    assert.ok(got !== undefined && Buffer.from(bytes).equals(got), `a block of ${root}`);
  }
}

/** Whether it is there. */
async function assertAllOrNone(store: Opened, batch: Batch): Promise<boolean> {
  const kept = (await roots(store)).includes(batch.root);
  await store.tidy();
  if (kept) await assertKept(store, batch);
  else for (const { cid } of batch.blocks) assert.equal(await store.get(cid), undefined);
  return kept;
}
