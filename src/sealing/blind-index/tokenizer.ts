import { createHmac, type KeyObject } from 'node:crypto';
import { deriveKey } from '../identity.ts';
import { RecentValues } from '../recent-values.ts';

/**
 * A token as PostgreSQL takes it: a signed 64-bit integer in decimal. Two tokens are equal when the parameter and the
 * text are; at 10⁹ tokens a query meets an expected 5·10⁻¹¹ false ones, so equality counts as exact (DESIGN §6).
 */
export type Token = string;

export interface Tokenizer {
  /** The first 64 bits of HMAC-SHA-256 of `text` under the parameter's own key. Never 0, which pads. */
  token(parameter: string, text: string): Token;
  /** What a reference parameter's tokens are XORed with: the same target differs from parameter to parameter. */
  mask(parameter: string): bigint;
}

/** Values repeat: codes, categories, patients. A hit costs a fiftieth of an HMAC. */
const CACHE_SIZE = 100_000;

/** @param secret the node's index secret, 32 bytes */
export function createTokenizer(secret: Buffer): Tokenizer {
  const keys = new Map<string, KeyObject>();
  const masks = new Map<string, bigint>();
  const cache = new RecentValues<Token>(CACHE_SIZE);

  const keyOf = (parameter: string): KeyObject => {
    const known = keys.get(parameter);
    if (known !== undefined) return known;
    const key = deriveKey(secret, `parameter ${parameter}`);
    keys.set(parameter, key);
    return key;
  };

  return {
    token(parameter, text) {
      const name = `${parameter}\0${text}`;
      const known = cache.get(name);
      if (known !== undefined) return known;
      const bits = createHmac('sha256', keyOf(parameter)).update(text).digest().readBigInt64BE(0);
      const token = (bits === 0n ? 1n : bits).toString();
      cache.set(name, token);
      return token;
    },
    mask(parameter) {
      const known = masks.get(parameter);
      if (known !== undefined) return known;
      const mask = createHmac('sha256', keyOf(parameter)).update('reference mask').digest().readBigInt64BE(0);
      masks.set(parameter, mask);
      return mask;
    },
  };
}
