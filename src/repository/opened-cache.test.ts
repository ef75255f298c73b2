import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOpenedCache } from './opened-cache.ts';

test('what was offered once is not kept, what is offered again is', () => {
  const cache = createOpenedCache<{ name: string }>(1000);
  cache.offer(1n, { name: 'first' }, 10);
  assert.equal(cache.get(1n), undefined);
  cache.offer(1n, { name: 'again' }, 10);
  assert.deepEqual(cache.get(1n), { name: 'again' });
});

test('the least recently used goes when the bytes do not suffice', () => {
  const cache = createOpenedCache<object>(100);
  for (const id of [1n, 1n, 2n, 2n]) cache.offer(id, { id }, 50);
  assert.deepEqual(cache.get(1n), { id: 1n });
  for (const id of [3n, 3n]) cache.offer(id, { id }, 50);
  assert.equal(cache.get(2n), undefined);
  assert.deepEqual([cache.get(1n), cache.get(3n)], [{ id: 1n }, { id: 3n }]);
});

test('an id is forgotten when many others were offered since', () => {
  const cache = createOpenedCache<object>(1000);
  for (let id = 1n; id <= 25_000n; id++) cache.offer(id, {}, 1);
  cache.offer(1n, {}, 1);
  assert.equal(cache.get(1n), undefined);
});

test('without room nothing is kept', () => {
  const cache = createOpenedCache<object>(0);
  for (const _ of [1, 2, 3]) cache.offer(1n, {}, 1);
  assert.equal(cache.get(1n), undefined);
});
