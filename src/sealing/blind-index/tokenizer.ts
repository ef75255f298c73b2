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

/** Values repeat: codes, categories, days. A hit costs a tenth of an HMAC. For each parameter. */
const CACHE_SIZE = 4000;

interface ParameterTokens {
  readonly key: KeyObject;
  readonly recent: RecentValues<Token>;
  mask: bigint | undefined;
}

/** @param secret the node's index secret, 32 bytes */
export function createTokenizer(secret: Buffer): Tokenizer {
  const parameters = new Map<string, ParameterTokens>();

  const tokensOf = (parameter: string): ParameterTokens => {
    const known = parameters.get(parameter);
    if (known !== undefined) return known;
    const key = deriveKey(secret, `parameter ${parameter}`);
    const made = { key, recent: new RecentValues<Token>(CACHE_SIZE), mask: undefined };
    parameters.set(parameter, made);
    return made;
  };

  return {
    token(parameter, text) {
      const { key, recent } = tokensOf(parameter);
      const known = recent.get(text);
      if (known !== undefined) return known;
      const bits = createHmac('sha256', key).update(text).digest().readBigInt64BE(0);
      const token = (bits === 0n ? 1n : bits).toString();
      recent.set(text, token);
      return token;
    },
    mask(parameter) {
      const tokens = tokensOf(parameter);
      tokens.mask ??= createHmac('sha256', tokens.key).update('reference mask').digest().readBigInt64BE(0);
      return tokens.mask;
    },
  };
}
