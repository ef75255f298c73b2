import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CarBufferReader } from '@ipld/car/buffer-reader';
import { createWriter } from '@ipld/car/buffer-writer';
import { CID } from 'multiformats/cid';
import { batchOf, batchOfBlocks } from '../../../../conformance/ports/content-process.ts';
import { seed } from '../../../../conformance/support/seed.ts';
import { MedSealError } from '../../../errors.ts';
import { encodeCar } from './car-file.ts';
import { readBatch } from './read-batch.ts';

test('reads what it writes, of blocks of every length, and the reference reader reads the same', (context) => {
  const random = seed(context);
  const lengths = [0, 1, 90, 91, 92, 16_347, 16_348, 2_000_000];
  for (const batch of [batchOfBlocks(lengths.map((length) => random.bytes(length))), batchOf(random.seed, 1)]) {
    const { bytes } = encodeCar(batch);
    const sorted = batch.blocks.toSorted((one, other) => (one.cid < other.cid ? -1 : 1));
    const read = readBatch(bytes);
    assert.equal(read.root, batch.root);
    const reference = CarBufferReader.fromBytes(bytes);
    assert.deepEqual(reference.getRoots().map(String), [batch.root]);
    for (const [index, { cid, bytes: content }] of sorted.entries()) {
      const [own, theirs] = [read.blocks[index], reference.blocks()[index]];
      assert.deepEqual([own?.cid, String(theirs?.cid)], [cid, cid]);
      assert.ok(Buffer.from(content).equals(own?.bytes ?? Buffer.of(1)));
      assert.ok(Buffer.from(content).equals(theirs?.bytes ?? Buffer.of(1)));
    }
  }
});

test('every changed byte, and every cut, is damage', (context) => {
  const random = seed(context);
  const { bytes } = encodeCar(batchOfBlocks([random.bytes(60), random.bytes(200)]));
  const isDamage = (error: unknown) => error instanceof MedSealError && error.code === 'sealed-content-damaged';
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.integer(8));
    assert.throws(() => readBatch(changed), isDamage, `byte ${at}`);
  }
  for (let end = 0; end < bytes.length; end++) {
    // A cut between two blocks leaves a CAR that may be whole: whoever knows how many there are must count them.
    try {
      assert.ok(readBatch(bytes.subarray(0, end)).blocks.length < 3);
    } catch (error) {
      assert.ok(isDamage(error), `cut at ${end}`);
    }
  }
});

test('two roots, none, and blocks of other forms are refused', () => {
  const { root, blocks } = batchOfBlocks([Buffer.from('a')]);
  const write = (roots: readonly string[], block: { cid: string; bytes: Uint8Array } | undefined) => {
    const writer = createWriter(new ArrayBuffer(4096), { roots: roots.map((cid) => CID.parse(cid)) });
    for (const { cid, bytes } of [...blocks, ...(block ? [block] : [])]) writer.write({ cid: CID.parse(cid), bytes });
    return writer.close({ resize: true });
  };
  assert.equal(readBatch(write([root], undefined)).root, root);
  const other = { cid: 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG', bytes: Buffer.from('x') };
  for (const car of [write([root, root], undefined), write([], undefined), write([root], other), Buffer.alloc(0)]) {
    assert.throws(() => readBatch(car), { code: 'sealed-content-damaged' });
  }
});
