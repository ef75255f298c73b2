import type { AdapterFactory, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { errors } from 'oidc-provider';
import { invariant } from '../errors.ts';
import { type AssertionRules, CLOCK_TOLERANCE, checkAssertion } from './client-assertion.ts';
import { ASSERTION_ALGORITHMS } from './client-keys.ts';
import { scopeContext } from './client-registration.ts';
import type { Client, ClientRegistry } from './clients.ts';
import type { Egress } from './egress.ts';
import { grantPurposes } from './purposes.ts';
import type { RateLimiter } from './rate-limit.ts';
import { ROUTES } from './routes.ts';
import { ADMINISTRATION, grantScope, parseScopes } from './scopes.ts';
import type { ServerSecrets } from './server-secrets.ts';

export interface ProviderOptions extends AssertionRules {
  /** Absolute URL without a trailing slash, below which every base lies; what tokens are for. */
  readonly publicUrl: string;
  readonly adapter: AdapterFactory;
  readonly clients: ClientRegistry;
  readonly egress: Egress;
  readonly secrets: ServerSecrets;
  /** Counts the token requests of authenticated clients. */
  readonly limiter: RateLimiter;
}

/** Seconds. */
const TOKEN_LIFETIME = 300;
/** 256 random bits, in 43 characters. */
const TOKEN_BITS = 256;
const MOST_SCOPES = 200;

/**
 * How oidc-provider is set up: client credentials with signed assertions, opaque tokens, introspection, revocation.
 * Whatever else it can do and has on by default is off.
 */
export function providerConfiguration(options: ProviderOptions): Configuration {
  const { clients, egress, limiter, publicUrl, secrets } = options;
  // Purposes that the assertion of a token request asked for, until the token is made.
  const purposes = new WeakMap<object, readonly string[]>();
  return {
    adapter: options.adapter,
    jwks: { keys: [...secrets.signingKeys] },
    cookies: { keys: [...secrets.cookieKeys] },
    routes: ROUTES,
    scopes: [],
    responseTypes: [],
    clientAuthMethods: ['private_key_jwt'],
    clientDefaults: { id_token_signed_response_alg: 'RS256' },
    enabledJWA: { clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS] },
    clockTolerance: CLOCK_TOLERANCE,
    ttl: { ClientCredentials: TOKEN_LIFETIME },
    formats: { bitsOfOpaqueRandomness: TOKEN_BITS },
    // No browser talks to these endpoints: a page has no private key to sign with.
    clientBasedCORS: () => false,
    fetch: async (url) => new Response(await egress.get(String(url))),
    renderError: (ctx, out) => {
      ctx.type = 'json';
      ctx.body = out;
    },
    assertJwtClientAuthClaimsAndHeader: async (ctx, claims, header, { clientId }) => {
      const client = await registered(clients, clientId);
      checkAssertion(claims, header, client, options);
      if (ctx.oidc.route === 'token') purposes.set(ctx, grantPurposes(claims.extensions, client.purposes));
    },
    extraTokenClaims: async (ctx, token) => {
      const client = await registered(clients, token.clientId);
      return {
        purpose_of_use: purposes.get(ctx) ?? [],
        ...(client.patient === undefined ? {} : { patient: client.patient }),
        ...fhirUserOf(client, publicUrl),
      };
    },
    features: {
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: async (_ctx, { clientId }, token) =>
          token.clientId === clientId || (await registered(clients, clientId)).administrator,
      },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, { clientId }, token) => {
          // RFC 7009, section 2.1.
          if (token.clientId !== clientId) throw new errors.InvalidRequest('the token is not one of this client');
          return true;
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => publicUrl,
        getResourceServerInfo: async (ctx, resource, { clientId }) => {
          // Only now has the client proved itself, replays included: nobody else's requests count.
          const wait = limiter.take(clientId);
          if (wait > 0) throw tooMany(ctx, wait);
          if (!isOurs(resource, publicUrl) || !isOurs(ctx.oidc.body?.aud ?? publicUrl, publicUrl)) {
            throw new errors.InvalidTarget('this server gives no tokens for that resource');
          }
          const scope = grantedScope(ctx.oidc.params?.scope, await registered(clients, clientId));
          // The provider grants what is both in the request and in this answer, by text; so that a wildcard can be
          // granted in a narrower form, the request becomes what is granted.
          if (ctx.oidc.params !== undefined) ctx.oidc.params.scope = scope;
          return { scope, audience: publicUrl, accessTokenFormat: 'opaque', accessTokenTTL: TOKEN_LIFETIME };
        },
      },
      claimsParameter: { enabled: false },
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      rpMetadataChoices: { enabled: false },
      userinfo: { enabled: false },
    },
  };
}

/** Whom a client acts for, where that is not its patient. */
function fhirUserOf({ institution, practitioner, relatedPerson }: Client, publicUrl: string): { fhirUser?: string } {
  const base = `${publicUrl}/${institution}/fhir`;
  if (practitioner !== undefined) return { fhirUser: `${base}/Practitioner/${practitioner}` };
  return relatedPerson === undefined ? {} : { fhirUser: `${base}/RelatedPerson/${relatedPerson}` };
}

/** A client that the adapter has just let through, which it does not for a disabled one. */
async function registered(clients: ClientRegistry, id: string | undefined): Promise<Client> {
  const client = id === undefined ? undefined : await clients.find(id);
  invariant(client !== undefined, 'a client that proved itself is registered');
  return client;
}

/** The public URL itself, or the base of an institution or of their union (RFC 8707). */
function isOurs(resource: unknown, publicUrl: string): boolean {
  if (typeof resource !== 'string' || !resource.startsWith(publicUrl)) return false;
  return /^(\/([a-z0-9-]+\/)?fhir)?\/?$/.test(resource.slice(publicUrl.length));
}

/** @throws InvalidScope when nothing of what is requested is granted, which must not look like a success */
function grantedScope(requested: unknown, client: Client): string {
  if (typeof requested !== 'string') throw new errors.InvalidScope('scope is required', '');
  const wanted = requested.split(' ');
  if (wanted.length > MOST_SCOPES) throw new errors.InvalidScope(`more than ${MOST_SCOPES} scopes`, '');
  const granted = client.administrator
    ? wanted.find((scope) => scope === ADMINISTRATION)
    : grantScope(requested, registeredScopes(client));
  if (!granted) throw new errors.InvalidScope('none of these scopes is registered for this client', requested);
  return granted;
}

function registeredScopes(client: Client) {
  const context = scopeContext(client);
  return parseScopes(client.scopes.join(' ')).filter((scope) => scope.context === context);
}

/** Not a code of RFC 6749, which knows no limits; RFC 6585 knows the status. */
function tooMany(ctx: KoaContextWithOIDC, wait: number): errors.OIDCProviderError {
  ctx.set('Retry-After', String(wait));
  const error = new errors.OIDCProviderError(429, 'temporarily_unavailable');
  error.error_description = 'too many token requests';
  return error;
}
