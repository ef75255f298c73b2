import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { MedSealError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { sweepExpired } from '../storage/auth/artifacts.ts';
import type { Database } from '../storage/database/port.ts';
import { createAdapterFactory } from './adapter.ts';
import type { ChangeFeed } from './changes.ts';
import type { ClientRegistry } from './clients.ts';
import type { Egress } from './egress.ts';
import { providerConfiguration } from './provider-configuration.ts';
import { addressKey, createRateLimiter, type RateLimit } from './rate-limit.ts';
import { ROUTES } from './routes.ts';
import type { SealedBox } from './sealed-box.ts';
import type { ServerSecrets } from './server-secrets.ts';

export interface AuthorizationServerOptions {
  /** Absolute URL without a trailing slash; its path is where the handler is mounted, such as `/auth`. */
  readonly issuer: string;
  /** Absolute URL without a trailing slash, below which every base lies; the audience of tokens. */
  readonly publicUrl: string;
  readonly database: Database;
  readonly clients: ClientRegistry;
  readonly changes: ChangeFeed;
  readonly box: SealedBox;
  readonly egress: Egress;
  readonly secrets: ServerSecrets;
  readonly logger: Logger;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Requests of one address, and token requests of one client; `DEFAULT_LIMITS` when absent. */
  readonly limits?: { readonly address: RateLimit; readonly client: RateLimit };
}

export interface AuthorizationServer {
  /** Answers everything below the issuer's path. The request's body must not have been read. */
  handler(request: IncomingMessage, response: ServerResponse): void;
  /** Ends what runs in the background. */
  close(): void;
}

/** A token lasts five minutes, so a client that keeps its token needs very few of these. */
const DEFAULT_LIMITS = { address: { burst: 300, perSecond: 30 }, client: { burst: 120, perSecond: 10 } } as const;
/** Milliseconds between two removals of what has expired. */
const SWEEP_EVERY = 60_000;

const DISCOVERY = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
const METHODS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  [ROUTES.token, ['POST']],
  [ROUTES.introspection, ['POST']],
  [ROUTES.revocation, ['POST']],
  ...[ROUTES.jwks, ...DISCOVERY].map((path) => [path, ['GET', 'HEAD', 'OPTIONS']] as const),
]);

/** The embedded authorization server: `oidc-provider` behind a list of exactly the endpoints that are in use. */
export function createAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  const { issuer, logger, clock, database, limits = DEFAULT_LIMITS } = options;
  const provider = createProvider(options);
  const respond = provider.callback();
  const mountPath = new URL(issuer).pathname.replace(/\/$/, '');
  const limiter = createRateLimiter(limits.address, clock);
  const sweep = () => {
    sweepExpired(database).catch((error) => logger.warn({ err: error }, 'expired tokens could not be removed'));
  };
  const sweeping = setInterval(sweep, SWEEP_EVERY).unref();
  return {
    handler: (request, response) => {
      const url = request.url ?? '';
      const methods = url.startsWith(`${mountPath}/`)
        ? METHODS.get(url.slice(mountPath.length).replace(/\?.*$/s, ''))
        : undefined;
      if (methods === undefined) return refuse(response, 404, 'there is no such endpoint');
      if (!methods.includes(request.method ?? '')) {
        response.setHeader('Allow', methods.join(', '));
        return refuse(response, 405, 'this endpoint has no such method');
      }
      const wait = request.method === 'POST' ? limiter.take(addressKey(request.socket.remoteAddress)) : 0;
      if (wait > 0) {
        response.setHeader('Retry-After', wait);
        return refuse(response, 429, 'too many requests');
      }
      // As a router that mounts handlers does it, so that the provider knows the prefix.
      Object.assign(request, { originalUrl: url, url: url.slice(mountPath.length) });
      void respond(request, response);
    },
    close: () => clearInterval(sweeping),
  };
}

function refuse(response: ServerResponse, status: number, description: string): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify({ error: 'invalid_request', error_description: description }));
}

function createProvider(options: AuthorizationServerOptions): Provider {
  const { issuer, publicUrl, clients, egress, secrets, clock, limits = DEFAULT_LIMITS } = options;
  const provider = new Provider(
    issuer,
    providerConfiguration({
      issuer,
      publicUrl,
      tokenEndpoint: `${issuer}${ROUTES.token}`,
      adapter: createAdapterFactory(options),
      clients,
      egress,
      secrets,
      clock,
      limiter: createRateLimiter(limits.client, clock),
    }),
  );
  answerAs(provider, new URL(issuer));
  provider.use(async (ctx, next) => {
    await next();
    complete(ctx as KoaContextWithOIDC);
  });
  logErrors(provider, options.logger);
  return provider;
}

/**
 * The provider derives its URLs, among them the accepted audiences of assertions, from the request. They are the
 * issuer's, whatever Host header a client sends and whatever proxy is in between.
 */
function answerAs(provider: Provider, issuer: URL): void {
  Object.defineProperties(provider.request, {
    host: { get: () => issuer.host },
    protocol: { get: () => issuer.protocol.slice(0, -1) },
  });
}

/** Adds to a token response what its token is bound to, and leaves out of the metadata what is off. */
function complete(ctx: KoaContextWithOIDC): void {
  // Only matched routes have it.
  const oidc: KoaContextWithOIDC['oidc'] | undefined = ctx.oidc;
  if (oidc?.route === 'token' && ctx.status === 200) {
    ctx.body = { ...(ctx.body as object), ...oidc.entities.ClientCredentials?.extra };
    // Beside Cache-Control, which the provider sets: SMART App Launch asks for both.
    ctx.set('Pragma', 'no-cache');
  }
  if (oidc?.route === 'discovery') {
    const metadata = ctx.body as Readonly<Record<string, unknown>>;
    ctx.body = Object.fromEntries(METADATA.map((name) => [name, metadata[name]]));
  }
}

/** RFC 8414, section 2: there is no authorization endpoint as long as no grant type uses it. */
const METADATA = [
  'issuer',
  'token_endpoint',
  'jwks_uri',
  'introspection_endpoint',
  'revocation_endpoint',
  'grant_types_supported',
  'response_types_supported',
  'token_endpoint_auth_methods_supported',
  'token_endpoint_auth_signing_alg_values_supported',
];

function logErrors(provider: Provider, logger: Logger): void {
  const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) =>
    logger.info(
      { route: ctx.oidc.route, client: ctx.oidc.client?.clientId, error: error.error, detail: error.error_detail },
      'an authorization request was refused',
    );
  provider.on('grant.error', refused);
  provider.on('introspection.error', refused);
  provider.on('revocation.error', refused);
  provider.on('server_error', (ctx, error) => {
    // Emitted before the response is written: a database that is away is no defect, and passes.
    if (error instanceof MedSealError) ctx.status = error.status;
    logger.error({ route: ctx.oidc.route, err: error }, 'an authorization request failed');
  });
  // Koa's own, for what fails outside of any route; without a listener it would print to the console.
  const application: EventEmitter = provider;
  application.on('error', (error: unknown) => logger.error({ err: error }, 'an authorization request failed'));
}
