import { MedSealError } from '../../errors.ts';
import { type Connection, localTokenEndpoint, requestToken, type TokenEndpoint } from '../connection.ts';
import type { StoredClient } from '../data-directory.ts';

/** Where the bearer token of a request comes from. */
export interface TokenSource {
  current(): Promise<string>;
  /** The server refused this token: it is not given again. @throws MedSealError `token-invalid` when there is no other */
  refused(token: string): Promise<void>;
}

/** One that was given. */
export function fixedToken(token: string): TokenSource {
  return {
    current: () => Promise.resolve(token),
    refused: () => Promise.reject(new MedSealError('token-invalid', 'The server does not accept the token')),
  };
}

/** Tokens last five minutes; a request may take one. */
const RENEW_AFTER = 3 * 60_000;

/** Tokens of a client whose key is here, renewed before they expire. */
export function clientTokens(endpoint: TokenEndpoint, client: StoredClient, now: () => number): TokenSource {
  let held: { readonly token: Promise<string>; readonly since: number } | undefined;
  return {
    current() {
      if (held === undefined || now() - held.since > RENEW_AFTER) {
        const token = requestToken(endpoint, client);
        held = { token, since: now() };
        token.catch(() => {
          held = undefined;
        });
      }
      return held.token;
    },
    async refused(token) {
      if (held !== undefined && (await held.token) === token) held = undefined;
    },
  };
}

/** The token endpoint of a base: that of the server that runs here, or the one that the base names. */
export async function tokenEndpointOf(base: string, local: Connection | undefined): Promise<TokenEndpoint> {
  if (local !== undefined) {
    const { url, publicUrl } = local.address;
    if ([url, publicUrl].some((own) => base.startsWith(`${own}/`))) return localTokenEndpoint(local.address);
  }
  const named = await discover(`${base}/.well-known/smart-configuration`);
  return { url: named, audience: named };
}

async function discover(url: string): Promise<string> {
  let found: unknown;
  try {
    const response = await fetch(url, { headers: { accept: 'application/json' } });
    found = ((await response.json()) as { token_endpoint?: unknown }).token_endpoint;
  } catch (cause) {
    throw new MedSealError('storage-unavailable', `${url} cannot be read`, { cause });
  }
  if (typeof found === 'string') return found;
  throw new MedSealError('storage-unavailable', `${url} names no token endpoint; pass a token with --token`);
}
