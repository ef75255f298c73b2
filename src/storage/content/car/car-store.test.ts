import assert from 'node:assert/strict';
import { open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CarReader } from '@ipld/car/reader';
import { batchOf } from '../../../../conformance/ports/content-process.ts';
import { seed } from '../../../../conformance/support/seed.ts';
import { temporaryDirectory } from '../../../../conformance/support/temporary-directory.ts';
import { silentLogger } from '../../../logger.ts';
import { cidOf } from '../cid.ts';
import { openCarStore } from './car-store.ts';

// What only this adapter has: files. The port itself: conformance/ports/content-store.test.ts.

const openStore = (directory: string) => openCarStore({ directory, logger: silentLogger });

test('a batch is one CARv1 file with one root, which the reference reader reads', async (context) => {
  const directory = await temporaryDirectory();
  const store = await openStore(directory);
  const batch = batchOf(seed(context).seed, 0);
  await store.put(batch);
  assert.deepEqual(await readdir(join(directory, 'cars')), [`${batch.root}.car`]);
  const path = join(directory, 'cars', `${batch.root}.car`);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const car = await CarReader.fromBytes(await readFile(path));
  assert.deepEqual(
    (await car.getRoots()).map((root) => root.toString()),
    [batch.root],
  );
  const blocks = new Map<string, Uint8Array>();
  for await (const { cid, bytes } of car.blocks()) blocks.set(cid.toString(), bytes);
  assert.equal(blocks.size, batch.blocks.length);
  for (const { cid, bytes } of batch.blocks) assert.ok(Buffer.from(bytes).equals(blocks.get(cid) ?? Buffer.alloc(0)));
  await store.close();
});

test('a changed byte is damage, and never content; a second put mends it', async (context) => {
  const random = seed(context);
  const directory = await temporaryDirectory();
  const store = await openStore(directory);
  const batch = batchOf(random.seed, 0);
  await store.put(batch);
  const path = join(directory, 'cars', `${batch.root}.car`);
  const original = await readFile(path);
  let damaged = 0;
  for (let round = 0; round < 200; round++) {
    const bytes = Buffer.from(original);
    const at = random.integer(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(8));
    await writeInPlace(path, bytes);
    for (const block of batch.blocks) {
      const got = await store.get(block.cid).catch((error: { code?: string }) => {
        assert.equal(error.code, 'sealed-content-damaged');
        damaged++;
        return undefined;
      });
      if (got !== undefined) assert.ok(got.every((byte, index) => byte === block.bytes[index]));
    }
  }
  assert.ok(damaged > 100);
  await store.put(batch);
  for (const { cid, bytes } of batch.blocks)
    assert.ok(Buffer.from(bytes).equals((await store.get(cid)) ?? Buffer.alloc(0)));
  await store.close();
});

test('a block that is damaged in one batch is had from another', async (context) => {
  const directory = await temporaryDirectory();
  const store = await openStore(directory);
  const one = batchOf(seed(context).seed, 0);
  const bytes = Buffer.from('another root');
  const other = { root: cidOf('raw', bytes), blocks: [...one.blocks, { cid: cidOf('raw', bytes), bytes }] };
  await store.put(one);
  await store.put(other);
  for (const { root } of [one, other]) {
    const path = join(directory, 'cars', `${root}.car`);
    const original = await readFile(path);
    await writeInPlace(path, Buffer.alloc(original.length));
    for (const block of one.blocks)
      assert.ok(Buffer.from(block.bytes).equals((await store.get(block.cid)) ?? Buffer.alloc(0)));
    await writeInPlace(path, original);
  }
  await store.close();
});

test('a file that is gone or cut short is damage, also after a restart', async (context) => {
  const directory = await temporaryDirectory();
  let store = await openStore(directory);
  const [gone, short, intact] = [0, 1, 2].map((number) => batchOf(seed(context).seed, number));
  if (gone === undefined || short === undefined || intact === undefined) throw new Error('unreachable');
  for (const batch of [gone, short, intact]) await store.put(batch);
  await rm(join(directory, 'cars', `${gone.root}.car`));
  await truncate(join(directory, 'cars', `${short.root}.car`), 70);
  await assert.rejects(store.get(gone.root), { code: 'sealed-content-damaged' });
  for (const { cid } of short.blocks) await assert.rejects(store.get(cid), { code: 'sealed-content-damaged' });
  await store.close();
  const errors: string[] = [];
  store = await openCarStore({
    directory,
    logger: { ...silentLogger, error: (_, message) => errors.push(message) },
  });
  assert.deepEqual(errors, ['a file of the content store is damaged']);
  assert.equal(await store.get(short.blocks[0]?.cid ?? ''), undefined);
  for (const { cid } of intact.blocks) assert.notEqual(await store.get(cid), undefined);
  await store.close();
});

test('the index is made again from the files when it is missing or torn', async (context) => {
  const directory = await temporaryDirectory();
  const batches = Array.from({ length: 50 }, (_, number) => batchOf(seed(context).seed, number));
  let store = await openStore(directory);
  for (const batch of batches) await store.put(batch);
  await store.close();
  const index = join(directory, 'index');
  const damages = [
    () => rm(index, { recursive: true }),
    async () => {
      for (const name of await readdir(index)) await truncate(join(index, name), 1000);
    },
    async () => {
      for (const name of await readdir(index)) await writeFile(join(index, name), '');
    },
  ];
  for (const damage of damages) {
    await damage();
    store = await openStore(directory);
    for (const { blocks } of batches) for (const { cid } of blocks) assert.notEqual(await store.get(cid), undefined);
    await store.close();
  }
});

test('a CAR file that was put there by hand is served; other files are left alone', async (context) => {
  const [directory, source] = [await temporaryDirectory(), await temporaryDirectory()];
  const batch = batchOf(seed(context).seed, 0);
  const from = await openStore(source);
  await from.put(batch);
  await from.close();
  await (await openStore(directory)).close();
  const name = `${batch.root}.car`;
  await writeFile(join(directory, 'cars', name), await readFile(join(source, 'cars', name)));
  await writeFile(join(directory, 'cars', 'notes.txt'), 'mine');
  await writeFile(join(directory, 'cars', `${name}.0.unfinished`), 'torn');
  const store = await openStore(directory);
  for (const { cid } of batch.blocks) assert.notEqual(await store.get(cid), undefined);
  assert.deepEqual((await readdir(join(directory, 'cars'))).toSorted(), [name, 'notes.txt'].toSorted());
  await store.close();
});

test('a directory belongs to one store at a time', async () => {
  const directory = await temporaryDirectory();
  const store = await openStore(directory);
  await assert.rejects(openStore(directory), /in use by another MedSeal process/);
  await store.close();
  await (await openStore(directory)).close();
});

async function writeInPlace(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, 0);
  await file.close();
}
