import { randomFillSync } from 'node:crypto';

const POOL_SIZE = 8192;

/** Cryptographically random bytes out of a pool: a call of its own per nonce costs ten times as much. */
export function createRandomPool(): (length: number) => Buffer {
  const pool = Buffer.alloc(POOL_SIZE);
  let offset = POOL_SIZE;
  return (length) => {
    if (offset + length > POOL_SIZE) {
      randomFillSync(pool);
      offset = 0;
    }
    const bytes = Buffer.from(pool.subarray(offset, offset + length));
    // Handed-out key material does not stay behind in the pool.
    pool.fill(0, offset, offset + length);
    offset += length;
    return bytes;
  };
}
