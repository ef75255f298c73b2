import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cidOf } from '../cid.ts';
import type { KuboNode } from './node.ts';
import { placements } from './placement.ts';

const ROOTS = Array.from({ length: 500 }, (_, number) => cidOf('raw', Buffer.from(`${number}`)));

/** A node that can only list what it has; lists are told in orders of their own. */
function listing(roots: readonly string[], count = { lists: 0 }): KuboNode {
  const node = {
    async *roots() {
      count.lists += 1;
      yield* roots;
    },
  };
  return node as Partial<KuboNode> as KuboNode;
}

for (const limit of [1, 7, 100, 499, 500, 10_000]) {
  test(`each batch once with all who hold it, ${limit} at once`, async () => {
    const [one, other] = [listing(ROOTS.slice(0, 300)), listing(ROOTS.slice(200).toReversed())];
    const found = await Array.fromAsync(placements([one, other], limit));
    assert.deepEqual(found.map(({ root }) => root).toSorted(), ROOTS.toSorted());
    for (const { root, holders } of found) {
      const at = ROOTS.indexOf(root);
      assert.deepEqual(holders, [...(at < 300 ? [one] : []), ...(at >= 200 ? [other] : [])]);
    }
  });
}

test('what fits into memory is read once', async () => {
  const count = { lists: 0 };
  await Array.fromAsync(placements([listing(ROOTS, count)], ROOTS.length));
  assert.equal(count.lists, 1);
});

test('a node that cannot tell is an error, not an empty list', async () => {
  const broken: Partial<KuboNode> = {
    async *roots() {
      yield* ROOTS.slice(0, 1);
      throw new Error('gone');
    },
  };
  await assert.rejects(Array.fromAsync(placements([listing(ROOTS), broken as KuboNode])), /gone/);
});
