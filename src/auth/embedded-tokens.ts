import { findToken } from '../storage/auth/artifacts.ts';
import type { Database } from '../storage/database/port.ts';
import { placeOf } from './adapter.ts';
import type { TokenVerifier } from './authenticate.ts';
import type { ClientRegistry } from './clients.ts';
import type { SealedBox } from './sealed-box.ts';
import { principalOf } from './token-principal.ts';

export interface EmbeddedTokensOptions {
  readonly database: Database;
  readonly clients: ClientRegistry;
  readonly box: SealedBox;
  /** As of `createAuthorizationServer`. */
  readonly publicUrl: string;
}

/** What the adapter stored of a token; the provider made it, and the box holds it to be unaltered. */
interface TokenPayload {
  readonly clientId: string;
  /** Epoch seconds. */
  readonly exp: number;
  readonly aud: string;
  readonly scope: string;
  readonly extra: {
    readonly purpose_of_use: readonly string[];
    readonly patient?: string;
    readonly fhirUser?: string;
    readonly emergency?: string;
  };
}

/** The opaque tokens of the embedded authorization server: 43 characters, looked up in the database by their digest. */
export function createEmbeddedTokens({ database, clients, box, publicUrl }: EmbeddedTokensOptions): TokenVerifier {
  return {
    verify: async (token, digest) => {
      const stored = /^[A-Za-z0-9_-]{43}$/.test(token) ? await findToken(database, digest) : undefined;
      if (stored === undefined) return undefined;
      const payload = (await box.open(placeOf(stored.model, digest), stored.sealed)) as TokenPayload;
      const client = await clients.find(payload.clientId);
      if (client === undefined || client.disabled || payload.aud !== publicUrl) return undefined;
      const principal = principalOf(
        {
          clientId: client.id,
          institution: client.institution,
          scope: payload.scope,
          purposes: payload.extra.purpose_of_use,
          patient: payload.extra.patient,
          fhirUser: payload.extra.fhirUser,
        },
        publicUrl,
      );
      if (principal === undefined) return undefined;
      const [institution = '', type = '', id = ''] = payload.extra.emergency?.split('/') ?? [];
      const emergency = payload.extra.emergency === undefined ? {} : { emergency: { institution, type, id } };
      return { principal: { ...principal, ...emergency }, expiresAt: payload.exp * 1000 };
    },
  };
}
