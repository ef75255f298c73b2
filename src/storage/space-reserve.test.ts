import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../logger.ts';
import { keepSpaceReserve } from './space-reserve.ts';

const INTERVAL = 1000;

/** A disk with this much free space, which is looked at when the clock says so. */
async function reserveOver(t: TestContext, free: () => Promise<number | undefined>) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const reserve = await keepSpaceReserve({ freeBytes: free, logger: silentLogger, reserve: 100, interval: INTERVAL });
  t.after(() => reserve.stop());
  const look = async () => {
    t.mock.timers.tick(INTERVAL);
    await new Promise(setImmediate);
  };
  return { reserve, look };
}

test('writes are refused while less than the reserve is free, and only then', async (t) => {
  let free: number | undefined = 100;
  const { reserve, look } = await reserveOver(t, () => Promise.resolve(free));
  reserve.check();
  free = 99;
  await look();
  assert.throws(() => reserve.check(), { code: 'storage-full' });
  assert.match(reserve.reason ?? '', /nearly full/);
  free = 5000;
  await look();
  reserve.check();
  assert.equal(reserve.reason, undefined);
});

test('a start on a full disk begins refusing', async (t) => {
  const { reserve } = await reserveOver(t, () => Promise.resolve(0));
  assert.throws(() => reserve.check(), { code: 'storage-full' });
});

test('where the free space is not known, or cannot be read now, nothing changes', async (t) => {
  let free: () => Promise<number | undefined> = () => Promise.resolve(0);
  const { reserve, look } = await reserveOver(t, () => free());
  free = () => Promise.resolve(undefined);
  await look();
  assert.throws(() => reserve.check(), { code: 'storage-full' });
  free = () => Promise.reject(new Error('EIO'));
  await look();
  assert.throws(() => reserve.check(), { code: 'storage-full' });
});
