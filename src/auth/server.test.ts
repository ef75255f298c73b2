import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import Fastify from 'fastify';
import { calculateJwkThumbprint } from 'jose';
import {
  getToken,
  registerClient,
  requestToken,
  signAssertion,
  startAuth,
  testKey,
} from '../../conformance/support/test-auth.ts';
import { MedSealError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import { sweepExpired } from '../storage/auth/artifacts.ts';
import type { Client } from './clients.ts';
import { createEmbeddedTokens } from './embedded-tokens.ts';
import { createAuthorizationServer } from './server.ts';

const invalidToken = (error: unknown) => error instanceof MedSealError && error.code === 'token-invalid';

describe('what is served and stored', () => {
  test('metadata names what is there and nothing else', async (t) => {
    const auth = await startAuth(t);
    // Whatever host a client, or a proxy, asks for.
    const headers = { 'x-forwarded-host': 'elsewhere.example', 'x-forwarded-proto': 'https' };
    const get = async (path: string) => JSON.parse(await (await fetch(auth.issuer + path, { headers })).text());
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
      assert.deepEqual(await get(path), {
        issuer: auth.issuer,
        token_endpoint: auth.tokenEndpoint,
        jwks_uri: `${auth.issuer}/jwks`,
        introspection_endpoint: `${auth.issuer}/introspect`,
        revocation_endpoint: `${auth.issuer}/revoke`,
        grant_types_supported: ['client_credentials'],
        response_types_supported: [],
        token_endpoint_auth_methods_supported: ['private_key_jwt'],
        token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
      });
    }
    const { keys } = await get('/jwks');
    assert.equal(keys.length, 1);
    assert.deepEqual(Object.keys(keys[0]).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
    const [signingKey] = auth.secrets.signingKeys;
    assert.ok(signingKey);
    assert.equal(await calculateJwkThumbprint(keys[0]), await calculateJwkThumbprint(signingKey));
  });

  test('nothing else answers', async (t) => {
    const auth = await startAuth(t);
    for (const [method, path, status] of [
      ['GET', '', 404],
      ['GET', '/', 404],
      ['GET', '/auth', 404],
      ['GET', '/auth?client_id=x', 404],
      ['POST', '/authorize', 404],
      ['POST', '/reg', 404],
      ['GET', '/me', 404],
      ['POST', '/device/auth', 404],
      ['POST', '/request', 404],
      ['GET', '/session/end', 404],
      ['POST', '/session/end/confirm', 404],
      ['GET', '/interaction/x', 404],
      ['GET', '/jwks/', 404],
      ['GET', '/JWKS', 404],
      ['GET', '/%6awks', 404],
      ['GET', '/token', 405],
      ['PUT', '/token', 405],
      ['OPTIONS', '/token', 405],
      ['GET', '/introspect', 405],
      ['POST', '/jwks', 405],
    ] as const) {
      const response = await fetch(auth.issuer + path, { method });
      assert.equal(response.status, status, `${method} ${path}`);
      if (status === 405) assert.ok(response.headers.get('allow'));
    }
  });

  test('no token, id or binding lies readable in the database', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key, { patient: 'canary-71', scopes: ['patient/Observation.rs'] });
    const issued = await getToken(auth, key, id, { scope: 'patient/Observation.rs' });
    let stored = '';
    for (const table of ['auth_client', 'auth_artifact', 'auth_assertion']) {
      const rows = await auth.database.query<{ row: string }>('writer', TABLES[table] ?? '', []);
      assert.ok(rows.length > 0);
      stored += rows.map(({ row }) => row).join('\n');
    }
    // What is base64url within is decoded too.
    stored += stored.replace(/[\w-]{16,}/g, (part) => Buffer.from(part, 'base64url').toString('latin1'));
    for (const secret of [issued, 'canary-71', 'patient/Observation', key.publicJwk.x ?? '']) {
      assert.ok(!stored.includes(secret), secret);
    }
    const digest = createHash('sha256').update(issued).digest('hex');
    assert.ok(stored.includes(digest));
  });

  test('a row that was put elsewhere or altered is no token', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const [weak, strong] = [
      await registerClient(auth, key, { scopes: ['system/Patient.r'] }),
      await registerClient(auth, key),
    ];
    const [mine, theirs] = [
      await getToken(auth, key, weak, { scope: 'system/*.r' }),
      await getToken(auth, key, strong),
    ];
    const digest = (value: string) => createHash('sha256').update(value).digest();
    await auth.database.query(
      'writer',
      `update auth_artifact set sealed = (select sealed from auth_artifact where digest = $1) where digest = $2`,
      [digest(theirs), digest(mine)],
    );
    await assert.rejects(auth.authenticator().authenticate(`Bearer ${mine}`), { code: 'sealed-content-damaged' });
    await auth.database.query(
      'writer',
      `update auth_client set sealed = (select sealed from auth_client where id = $1) where id = $2`,
      [strong, weak],
    );
    await assert.rejects(auth.clients.list(), { code: 'sealed-content-damaged' });
  });

  test('a token is for one public URL, and for as long as its client is enabled', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const issued = await getToken(auth, key, id);
    const digest = createHash('sha256').update(issued).digest();
    assert.ok(await createEmbeddedTokens(auth).verify(issued, digest));
    const elsewhere = createEmbeddedTokens({ ...auth, publicUrl: 'https://elsewhere.example' });
    assert.equal(await elsewhere.verify(issued, digest), undefined);
    const disabled = {
      ...auth.clients,
      find: async () => ({ ...(await auth.clients.list())[0], disabled: true }) as Client,
    };
    assert.equal(await createEmbeddedTokens({ ...auth, clients: disabled }).verify(issued, digest), undefined);
    const gone = { ...auth.clients, find: async () => undefined };
    assert.equal(await createEmbeddedTokens({ ...auth, clients: gone }).verify(issued, digest), undefined);
  });

  test('sweeping goes on by itself, and tells the log when it cannot', { timeout: 60_000 }, async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const warned: object[] = [];
    const told = Promise.withResolvers<void>();
    const warn = (fields: object) => {
      warned.push(fields);
      told.resolve();
    };
    const auth = await startAuth(t, { logger: { ...silentLogger, warn } });
    const key = await testKey('ES384');
    await getToken(auth, key, await registerClient(auth, key));
    await auth.database.query('writer', 'update auth_artifact set expires_at = now()', []);
    t.mock.timers.tick(60_000);
    const count = async () => (await auth.database.query('writer', 'select from auth_artifact', [])).length;
    while ((await count()) > 0) await setImmediate();
    assert.equal(warned.length, 0);
    await auth.database.close();
    t.mock.timers.tick(60_000);
    await told.promise;
    auth.server.close();
    t.mock.timers.tick(600_000);
    assert.equal(warned.length, 1);
  });

  test('an error is JSON, whatever the client would rather have', async (t) => {
    const auth = await startAuth(t);
    const response = await fetch(auth.tokenEndpoint, { method: 'POST', headers: { accept: 'text/html' } });
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
    assert.equal(JSON.parse(await response.text()).error, 'invalid_request');
  });

  test('what has expired is refused, and swept away', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const issued = await getToken(auth, key, id);
    const kept = await getToken(auth, key, id);
    const digest = createHash('sha256').update(issued).digest();
    await auth.database.query('writer', `update auth_artifact set expires_at = now() where digest = $1`, [digest]);
    await auth.database.query('writer', `update auth_assertion set expires_at = now() - interval '1 second'`, []);
    await assert.rejects(auth.authenticator().authenticate(`Bearer ${issued}`), invalidToken);
    await sweepExpired(auth.database);
    const [left] = await auth.database.query<{ artifacts: bigint; assertions: bigint }>(
      'writer',
      'select (select count(*) from auth_artifact) as artifacts, (select count(*) from auth_assertion) as assertions',
      [],
    );
    assert.deepEqual(left, { artifacts: 1n, assertions: 0n });
    await auth.authenticator().authenticate(`Bearer ${kept}`);
  });

  test('another replica with the same secrets knows the token and the used assertion', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const assertion = await signAssertion(auth, key, id);
    assert.equal((await requestToken(auth, assertion)).status, 200);
    const replica = createAuthorizationServer({ ...auth, logger: silentLogger });
    t.after(() => replica.close());
    auth.http.removeAllListeners('request').on('request', replica.handler);
    assert.equal((await requestToken(auth, assertion)).status, 401);
    await getToken(auth, key, id);
  });

  test('a database that is away is a 503, told to the log', async (t) => {
    const logged: object[] = [];
    const logger = { ...silentLogger, error: (fields: object) => void logged.push(fields) };
    const auth = await startAuth(t, { logger });
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const assertion = await signAssertion(auth, key, id);
    await auth.clients.find(id);
    await auth.database.close();
    const { status, body } = await requestToken(auth, assertion);
    assert.deepEqual([status, body.error], [503, 'server_error']);
    assert.equal(logged.length, 1);
  });

  test('it is mounted in Fastify before any body is parsed', async (t) => {
    const auth = await startAuth(t);
    const app = Fastify();
    t.after(() => app.close());
    app.all('/auth/*', {
      onRequest: (request: { raw: IncomingMessage }, reply) => {
        reply.hijack();
        auth.server.handler(request.raw, reply.raw as ServerResponse);
      },
      handler: () => undefined,
    });
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const answer = await requestToken({ issuer: `${address}/auth` }, await signAssertion(auth, key, id));
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  });
});

const TABLES: Readonly<Record<string, string>> = {
  auth_client: 'select auth_client::text as row from auth_client',
  auth_artifact: 'select auth_artifact::text as row from auth_artifact',
  auth_assertion: 'select auth_assertion::text as row from auth_assertion',
};
