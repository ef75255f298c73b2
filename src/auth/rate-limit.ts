import { createExpiringCache } from './expiring-cache.ts';

export interface RateLimit {
  /** How many may come at once. */
  readonly burst: number;
  /** How many may come each second in the long run. */
  readonly perSecond: number;
}

export interface RateLimiter {
  /** Counts one request of `key`; 0 when it may go on, otherwise the whole seconds until one may. */
  take(key: string): number;
}

/**
 * A token bucket per key. A full bucket is as good as none, so a key is forgotten once its bucket has refilled;
 * beyond `capacity` keys the one unused for longest starts anew.
 *
 * @param clock epoch milliseconds
 */
export function createRateLimiter(limit: RateLimit, clock: () => number, capacity = 10_000): RateLimiter {
  const buckets = createExpiringCache<{ readonly level: number; readonly at: number }>(capacity);
  return {
    take: (key) => {
      const now = clock();
      const bucket = buckets.get(key, now) ?? { level: limit.burst, at: now };
      const level = Math.min(limit.burst, bucket.level + ((now - bucket.at) / 1000) * limit.perSecond);
      const left = level < 1 ? level : level - 1;
      const refilledAt = now + ((limit.burst - left) / limit.perSecond) * 1000;
      buckets.set(key, { level: left, at: now }, refilledAt);
      return level < 1 ? Math.ceil((1 - level) / limit.perSecond) : 0;
    },
  };
}

/** The key under which an address is counted: IPv6 by its /64, which one host has to itself. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (ipv4 !== undefined || !address.includes(':')) return ipv4 ?? address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const given = [...groups(head), ...groups(tail ?? '')].length;
  const zeros = Array.from({ length: 8 - given }, () => '0');
  return `${[...groups(head), ...zeros, ...groups(tail ?? '')].slice(0, 4).join(':')}::/64`;
}
