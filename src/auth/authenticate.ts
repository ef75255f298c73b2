import { hash } from 'node:crypto';
import { MedSealError } from '../errors.ts';
import type { Principal } from '../request-context.ts';
import type { ChangeFeed } from './changes.ts';
import { createExpiringCache } from './expiring-cache.ts';

export interface Authenticator {
  /**
   * Who sends a request with this Authorization header (RFC 6750, section 2.1).
   *
   * @throws MedSealError `login-required` when there is no bearer token, `token-invalid` when it is not, or no longer,
   *   good; and whatever keeps it from being looked up: `storage-unavailable`, `egress-failed`
   */
  authenticate(authorizationHeader: string | undefined): Promise<Principal>;
}

/** How the tokens of one issuer are verified: embedded-tokens.ts, external-tokens.ts. */
export interface TokenVerifier {
  /**
   * @param digest SHA-256 of the token
   * @returns undefined for a token that is not good
   */
  verify(token: string, digest: Buffer): Promise<VerifiedToken | undefined>;
}

interface VerifiedToken {
  readonly principal: Principal;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface AuthenticatorOptions {
  readonly tokens: TokenVerifier;
  readonly changes: ChangeFeed;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Milliseconds that a verified token is believed in, if nothing is heard of it. */
const CACHED_FOR = 5000;
const CACHED_TOKENS = 10_000;
/** An RFC 9068 token with a long list of scopes is some 4 kB. */
const LONGEST_HEADER = 16_384;
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/**
 * Tokens are verified once and then known by their hash for some seconds, or until this or another replica hears that
 * they were revoked or that their client changed.
 */
export function createAuthenticator({ tokens, changes, clock }: AuthenticatorOptions): Authenticator {
  const cache = createExpiringCache<VerifiedToken>(CACHED_TOKENS);
  // Counts changes, so that a verification that began before one is not kept after it.
  let changed = 0;
  changes.subscribe((change) => {
    changed += 1;
    if (change.kind === 'token') cache.delete(change.digest);
    else cache.clear();
  });

  return {
    authenticate: async (authorizationHeader) => {
      const token = bearerToken(authorizationHeader);
      const key = hash('sha256', token, 'hex');
      const now = clock();
      const cached = cache.get(key, now);
      if (cached !== undefined) return cached.principal;

      const changedBefore = changed;
      const verified = await tokens.verify(token, Buffer.from(key, 'hex'));
      if (verified === undefined || verified.expiresAt <= now) {
        throw new MedSealError('token-invalid', 'The access token is not valid, or no longer.');
      }
      if (changed === changedBefore) cache.set(key, verified, Math.min(verified.expiresAt, now + CACHED_FOR));
      return verified.principal;
    },
  };
}

function bearerToken(header: string | undefined): string {
  if (header === undefined || !/^bearer( |$)/i.test(header)) {
    throw new MedSealError('login-required', 'This needs an access token: Authorization: Bearer ...');
  }
  const token = header.length > LONGEST_HEADER ? undefined : BEARER.exec(header)?.[1];
  if (token === undefined)
    throw new MedSealError('token-invalid', 'The Authorization header has no well-formed token.');
  return token;
}

/**
 * The `WWW-Authenticate` header that goes with an error (RFC 6750, section 3), or undefined when none does.
 *
 * @param scope for `forbidden`: the scope that would have been needed
 */
export function challenge(error: MedSealError, scope?: string): string | undefined {
  switch (error.code) {
    case 'login-required':
      return 'Bearer realm="medseal"';
    case 'token-invalid':
      return `Bearer realm="medseal", error="invalid_token", error_description="${error.message}"`;
    case 'forbidden':
      return `Bearer realm="medseal", error="insufficient_scope"${scope === undefined ? '' : `, scope="${scope}"`}`;
    default:
      return undefined;
  }
}
