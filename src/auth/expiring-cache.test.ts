import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createExpiringCache } from './expiring-cache.ts';

describe('expiring cache', () => {
  test('keeps an entry until its time, not beyond', () => {
    const cache = createExpiringCache<number>(10);
    cache.set('a', 1, 100);
    assert.equal(cache.get('a', 99), 1);
    assert.equal(cache.get('a', 100), undefined);
    assert.equal(cache.get('a', 0), undefined);
    assert.equal(cache.size, 0);
  });

  test('forgets the entry unused for longest', () => {
    const cache = createExpiringCache<number>(2);
    cache.set('a', 1, 100);
    cache.set('b', 2, 100);
    assert.equal(cache.get('a', 0), 1);
    cache.set('c', 3, 100);
    assert.deepEqual([cache.get('a', 0), cache.get('b', 0), cache.get('c', 0)], [1, undefined, 3]);
  });

  test('never holds more than its capacity', () => {
    const cache = createExpiringCache<number>(50);
    for (let i = 0; i < 1000; i += 1) cache.set(`key ${i}`, i, i + 10);
    assert.equal(cache.size, 50);
  });

  test('replacing counts once; deleting and clearing forget', () => {
    const cache = createExpiringCache<number>(2);
    cache.set('a', 1, 100);
    cache.set('a', 2, 100);
    cache.set('b', 3, 100);
    assert.equal(cache.get('a', 0), 2);
    cache.delete('a');
    assert.deepEqual([cache.get('a', 0), cache.get('b', 0)], [undefined, 3]);
    cache.clear();
    assert.equal(cache.size, 0);
  });
});
