/** For tests: the authorization server on a free port over a database of its own, and a client's side of it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { createAuthenticator } from '../../src/auth/authenticate.ts';
import { createChangeFeed } from '../../src/auth/changes.ts';
import type { ClientRegistration } from '../../src/auth/client-registration.ts';
import { createClientRegistry } from '../../src/auth/clients.ts';
import { createEgress } from '../../src/auth/egress.ts';
import { createEmbeddedTokens } from '../../src/auth/embedded-tokens.ts';
import { createSealedBox } from '../../src/auth/sealed-box.ts';
import { type AuthorizationServerOptions, createAuthorizationServer } from '../../src/auth/server.ts';
import { generateServerSecrets } from '../../src/auth/server-secrets.ts';
import { silentLogger } from '../../src/logger.ts';
import { testDatabase } from './test-database.ts';

export interface TestKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** A key pair as a client makes it. */
export async function testKey(alg: string, kid = `${alg}-key`): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export type TestAuth = Awaited<ReturnType<typeof startAuth>>;

/** Everything runs until the test ends. The institutions `st-mary` and `xiehe` exist. */
export async function startAuth(
  t: TestContext,
  options: { readonly egressAllow?: readonly string[] } & Partial<AuthorizationServerOptions> = {},
) {
  const { database } = await testDatabase(t);
  let handler: (...exchange: Parameters<ReturnType<typeof createAuthorizationServer>['handler']>) => void = () => {
    throw new Error('a request before the server was started');
  };
  const http = createServer((request, response) => handler(request, response)).listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => {
    http.closeAllConnections();
    http.close();
  });

  const publicUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const issuer = `${publicUrl}/auth`;
  const secrets = await sharedSecrets();
  const box = await createSealedBox(secrets.sealingKey);
  const changes = await createChangeFeed(database);
  const egress = createEgress({ allow: options.egressAllow ?? [] });
  const clock = Date.now;
  const clients = createClientRegistry({ database, changes, box, egress, clock });
  await clients.addInstitution('st-mary');
  await clients.addInstitution('xiehe');
  const common = { database, clients, changes, box, egress, secrets, clock, publicUrl };
  const server = createAuthorizationServer({ issuer, logger: silentLogger, ...common, ...options });
  handler = server.handler;
  t.after(() => server.close());
  /** One of another replica has a feed and caches of its own. */
  const authenticator = (feed = changes) =>
    createAuthenticator({ tokens: createEmbeddedTokens(common), changes: feed, clock });
  return { ...common, issuer, http, server, authenticator, tokenEndpoint: `${issuer}/token` };
}

/** Making an RSA key takes longer than most tests. */
let made: ReturnType<typeof generateServerSecrets> | undefined;
function sharedSecrets() {
  made ??= generateServerSecrets();
  return made;
}

/** Registers a client of `st-mary` with this key. */
export async function registerClient(
  auth: TestAuth,
  key: TestKey,
  more: Partial<ClientRegistration> = {},
): Promise<string> {
  const { id } = await auth.clients.add({
    id: `client-${randomUUID()}`,
    institution: 'st-mary',
    jwks: { keys: [key.publicJwk] },
    purposes: ['TREAT'],
    scopes: ['system/*.cruds'],
    ...more,
  });
  return id;
}

/** A SMART client assertion, good unless `claims` or `header` say otherwise; undefined leaves one out. */
export function signAssertion(
  auth: Pick<TestAuth, 'tokenEndpoint'>,
  key: TestKey,
  clientId: string,
  claims: JWTPayload = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const payload = {
    iss: clientId,
    sub: clientId,
    aud: auth.tokenEndpoint,
    exp: Math.floor(Date.now() / 1000) + 240,
    jti: randomUUID(),
    ...claims,
  };
  return new SignJWT(JSON.parse(JSON.stringify(payload)))
    .setProtectedHeader({ alg: key.publicJwk.alg ?? '', kid: key.publicJwk.kid ?? '', typ: 'JWT', ...header })
    .sign(key.privateKey);
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Posts a form with a client assertion to `/token`, `/introspect` or `/revoke`. */
export async function post(
  auth: Pick<TestAuth, 'issuer'>,
  path: string,
  assertion: string,
  form: Readonly<Record<string, string>>,
): Promise<Answer> {
  const response = await fetch(`${auth.issuer}${path}`, {
    method: 'POST',
    body: new URLSearchParams({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...form,
    }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

export function requestToken(
  auth: Pick<TestAuth, 'issuer'>,
  assertion: string,
  form: Readonly<Record<string, string>> = { scope: 'system/*.rs' },
): Promise<Answer> {
  return post(auth, '/token', assertion, { grant_type: 'client_credentials', ...form });
}

/** A token's value. */
export async function getToken(
  auth: TestAuth,
  key: TestKey,
  clientId: string,
  form?: Readonly<Record<string, string>>,
): Promise<string> {
  const { status, body } = await requestToken(auth, await signAssertion(auth, key, clientId), form);
  assert.equal(status, 200, JSON.stringify(body));
  return String(body.access_token);
}

/** `post` with a fresh assertion. */
export async function postAs(
  auth: TestAuth,
  key: TestKey,
  clientId: string,
  path: string,
  form: Readonly<Record<string, string>>,
): Promise<Answer> {
  return post(auth, path, await signAssertion(auth, key, clientId), form);
}
