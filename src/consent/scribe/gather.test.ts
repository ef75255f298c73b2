import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gather } from './gather.ts';

/** Answers with what it was asked, doubled, when `release` is called. */
function doubling() {
  const asked: (readonly number[])[] = [];
  const releases: (() => void)[] = [];
  const ask = async (items: readonly number[]) => {
    asked.push(items);
    await new Promise<void>((resolve) => releases.push(resolve));
    return items.map((item) => 2 * item);
  };
  return { asked, ask, release: () => releases.shift()?.() };
}

/** Two turns: one to be gathered in, one to be sent in. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate);
}

test('what comes in one turn goes together, and each gets its own', async () => {
  const { asked, ask, release } = doubling();
  const gathered = gather(ask, 4, 64);
  const answers = Promise.all([gathered([1]), gathered([2, 3]), gathered([4])]);
  await turns();
  release();
  assert.deepEqual(await answers, [[2], [4, 6], [8]]);
  assert.deepEqual(asked, [[1, 2, 3, 4]]);
});

test('too little is done elsewhere, at once', async () => {
  const { asked, ask } = doubling();
  const gathered = gather(ask, 4, 64);
  assert.deepEqual(await Promise.all([gathered([1]), gathered([2])]), [undefined, undefined]);
  assert.equal(await gathered([]), undefined);
  assert.deepEqual(asked, []);
});

test('what comes while one is under way goes after it, no more than the most together', async () => {
  const { asked, ask, release } = doubling();
  const gathered = gather(ask, 2, 4);
  const first = gathered([1, 2]);
  await turns();
  const later = [gathered([3, 4]), gathered([5]), gathered([6, 7]), gathered([8, 9, 10, 11, 12])];
  for (let round = 0; round < 4; round += 1) {
    release();
    await turns();
  }
  assert.deepEqual(await first, [2, 4]);
  assert.deepEqual(await Promise.all(later), [[6, 8], [10], [12, 14], [16, 18, 20, 22, 24]]);
  assert.deepEqual(asked, [
    [1, 2],
    [3, 4, 5],
    [6, 7],
    [8, 9, 10, 11, 12],
  ]);
});

test('where nobody answers, all are done elsewhere', async () => {
  const gathered = gather(async () => undefined, 2, 64);
  assert.deepEqual(await Promise.all([gathered([1]), gathered([2])]), [undefined, undefined]);
});
