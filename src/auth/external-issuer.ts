import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { MedSealError } from '../errors.ts';
import type { Egress } from './egress.ts';
import type { AuthorizationMetadata } from './smart-configuration.ts';

/** What another organisation's authorization server publishes: where it answers, and the keys that it signs with. */
export interface ExternalIssuer {
  /** @throws MedSealError `egress-failed`, `egress-refused` */
  metadata(): Promise<AuthorizationMetadata>;
  /** The key for a token, for jose. @throws MedSealError as `metadata`; jose's errors when there is no such key */
  readonly key: JWTVerifyGetKey;
}

/** Milliseconds that metadata and keys are believed in, and for which no unknown key is looked for after a look. */
const METADATA_FOR = 3_600_000;
const KEYS_FOR = 600_000;
const KEYS_COOLDOWN = 30_000;

interface Published {
  readonly metadata: AuthorizationMetadata;
  readonly keys: JWTVerifyGetKey;
}

/** @param clock epoch milliseconds */
export function createExternalIssuer(issuer: string, egress: Egress, clock: () => number): ExternalIssuer {
  let known: Promise<Published> | undefined;
  let knownUntil = 0;

  function published(): Promise<Published> {
    if (known !== undefined && clock() < knownUntil) return known;
    knownUntil = clock() + METADATA_FOR;
    known = fetchMetadata(issuer, egress).catch((error: unknown) => {
      // Asked again by the next request.
      knownUntil = 0;
      throw error;
    });
    return known;
  }

  return {
    metadata: async () => (await published()).metadata,
    key: async (header, token) => {
      const { keys } = await published();
      try {
        return await keys(header, token);
      } catch (cause) {
        const unknownKey =
          cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys;
        if (unknownKey || cause instanceof MedSealError) throw cause;
        throw new MedSealError('egress-failed', 'The token issuer publishes no usable keys.', { cause });
      }
    },
  };
}

/** OpenID Connect Discovery, or RFC 8414, section 3.1, which puts the issuer's path behind. */
async function fetchMetadata(issuer: string, egress: Egress): Promise<Published> {
  const { origin, pathname } = new URL(issuer);
  const openid = `${issuer}/.well-known/openid-configuration`;
  const oauth = `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`;
  const text = await egress.get(openid).catch(() => egress.get(oauth));
  const document = parse(text);
  const { jwks_uri: jwksUri, token_endpoint: tokenEndpoint } = document;
  if (document.issuer !== issuer || typeof jwksUri !== 'string' || typeof tokenEndpoint !== 'string') {
    throw new MedSealError('egress-failed', 'The metadata of the token issuer is not that of this issuer.');
  }
  egress.check(jwksUri);
  return {
    metadata: {
      issuer,
      tokenEndpoint,
      introspectionEndpoint: url(document.introspection_endpoint),
      revocationEndpoint: url(document.revocation_endpoint),
      grantTypes: strings(document.grant_types_supported),
      authMethods: strings(document.token_endpoint_auth_methods_supported),
      signingAlgorithms: strings(document.token_endpoint_auth_signing_alg_values_supported),
    },
    keys: createRemoteJWKSet(new URL(jwksUri), {
      cacheMaxAge: KEYS_FOR,
      cooldownDuration: KEYS_COOLDOWN,
      [customFetch]: async (keysUrl: string) => new Response(await egress.get(keysUrl)),
    }),
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === 'object' && document !== null) return document as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new MedSealError('egress-failed', 'The metadata of the token issuer is not JSON.', { cause });
  }
  throw new MedSealError('egress-failed', 'The metadata of the token issuer is not a JSON object.');
}

function url(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
