import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channel } from './channel.ts';

test('everything that is written is read, in order, one at a time', async () => {
  const log: string[] = [];
  const items = channel<number>(async (write) => {
    for (let item = 0; item < 3; item++) {
      await write(item);
      log.push(`written ${item}`);
    }
  });
  for await (const item of items) {
    // Nothing is read ahead: what was taken is not yet confirmed while it is worked on.
    assert.ok(!log.includes(`written ${item}`));
    log.push(`read ${item}`);
  }
  assert.deepEqual(log, ['read 0', 'written 0', 'read 1', 'written 1', 'read 2', 'written 2']);
});

test('what goes wrong while it is produced is thrown after what came before', async () => {
  const items = channel<number>(async (write) => {
    await write(1);
    throw new Error('broken');
  });
  const read: number[] = [];
  await assert.rejects(async () => {
    for await (const item of items) read.push(item);
  }, /broken/);
  assert.deepEqual(read, [1]);
});

test('a reader that leaves lets the writer fail, and waits until it has', async () => {
  let failed: unknown;
  const items = channel<number>(async (write) => {
    try {
      for (let item = 0; ; item++) await write(item);
    } catch (error) {
      failed = error;
      throw error;
    }
  });
  for await (const item of items) if (item === 2) break;
  assert.match(String(failed), /The reader has gone/);
});

test('nothing at all', async () => {
  assert.deepEqual(await Array.fromAsync(channel(async () => undefined)), []);
});
