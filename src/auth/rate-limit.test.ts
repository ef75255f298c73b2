import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addressKey, createRateLimiter } from './rate-limit.ts';

describe('rate limit', () => {
  test('a burst passes, then one for each refill', () => {
    let now = 0;
    const limiter = createRateLimiter({ burst: 3, perSecond: 2 }, () => now);
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => limiter.take('a')),
      [0, 0, 0, 1, 1],
    );
    now = 499;
    assert.equal(limiter.take('a'), 1);
    now = 500;
    assert.deepEqual([limiter.take('a'), limiter.take('a')], [0, 1]);
    now = 10_000;
    assert.deepEqual(
      [1, 2, 3, 4].map(() => limiter.take('a')),
      [0, 0, 0, 1],
    );
  });

  test('says how long to wait', () => {
    const limiter = createRateLimiter({ burst: 1, perSecond: 0.1 }, () => 0);
    assert.deepEqual([limiter.take('a'), limiter.take('a')], [0, 10]);
  });

  test('keys do not share a bucket, and only so many are kept', () => {
    const limiter = createRateLimiter({ burst: 1, perSecond: 1 }, () => 0, 2);
    assert.deepEqual(['a', 'a', 'b', 'b', 'c', 'c', 'a'].map(limiter.take), [0, 1, 0, 1, 0, 1, 0]);
  });

  for (const [address, key] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    [undefined, 'unknown'],
  ] as const) {
    test(`${address} counts as ${key}`, () => assert.equal(addressKey(address), key));
  }
});
