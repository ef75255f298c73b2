import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { exportSPKI, importJWK, type JWTPayload, SignJWT } from 'jose';
import { type TestKey, testKey } from '../../conformance/support/test-auth.ts';
import { MedSealError } from '../errors.ts';
import { createEgress } from './egress.ts';
import { createExternalIssuer } from './external-issuer.ts';
import { createExternalTokens } from './external-tokens.ts';
import { formatScope } from './scopes.ts';

const PUBLIC_URL = 'https://records.example';
const is = (code: string) => (error: unknown) => error instanceof MedSealError && error.code === code;
const digest = Buffer.alloc(32);

/** An issuer on a free port; what it answers can be changed. */
async function startIssuer(t: TestContext, keys: readonly TestKey[], path = '') {
  const answers = new Map<string, string>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = answers.get(request.url ?? '');
    response.writeHead(answer === undefined ? 404 : 200).end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const hostPort = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = `http://${hostPort}${path}`;
  const metadata = {
    issuer,
    jwks_uri: `${issuer}/keys`,
    token_endpoint: `${issuer}/token`,
    grant_types_supported: ['client_credentials', 7],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
  };
  answers.set(`${path}/.well-known/openid-configuration`, JSON.stringify(metadata));
  answers.set(`${path}/keys`, JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) }));
  const state = { now: Date.now() };
  const published = createExternalIssuer(issuer, createEgress({ allow: [hostPort] }), () => state.now);
  const tokens = createExternalTokens({
    issuer,
    published,
    publicUrl: PUBLIC_URL,
    institutions: async () => ['st-mary', 'xiehe'],
    clock: () => state.now,
  });
  return {
    issuer,
    metadata,
    answers,
    asked,
    state,
    published,
    verify: (token: string) => tokens.verify(token, digest),
  };
}

function sign(
  issuer: string,
  key: TestKey,
  claims: JWTPayload = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: issuer,
    sub: 'someone',
    aud: PUBLIC_URL,
    iat: now,
    exp: now + 300,
    client_id: 'his',
    institution: 'st-mary',
    scope: 'system/*.rs',
    ...claims,
  };
  return new SignJWT(JSON.parse(JSON.stringify(payload)))
    .setProtectedHeader({ alg: key.publicJwk.alg ?? '', kid: key.publicJwk.kid ?? '', typ: 'at+jwt', ...header })
    .sign(key.privateKey, header.crit === undefined ? {} : { crit: { x: false } });
}

describe('tokens of another issuer', () => {
  for (const alg of ['RS256', 'PS384', 'ES256', 'EdDSA']) {
    test(`${alg}: claims become a principal`, async (t) => {
      const key = await testKey(alg);
      const { issuer, verify } = await startIssuer(t, [key]);
      const verified = await verify(await sign(issuer, key, { purpose_of_use: ['TREAT'] }));
      assert.ok(verified);
      const { scopes, ...rest } = verified.principal;
      assert.deepEqual(scopes.map(formatScope), ['system/*.rs']);
      assert.deepEqual(rest, { clientId: 'his', institution: 'st-mary', purposes: ['TREAT'], administrator: false });
    });
  }

  test('every claim is understood, or the token is worth nothing', async (t) => {
    const key = await testKey('ES256');
    const { issuer, verify } = await startIssuer(t, [key]);
    const read = async (claims: JWTPayload) => (await verify(await sign(issuer, key, claims)))?.principal;
    const b2b = (purpose_of_use: unknown) => ({ extensions: { 'hl7-b2b': { purpose_of_use } } });
    assert.deepEqual((await read({ patient: 'p' }))?.patient, { institution: 'st-mary', type: 'Patient', id: 'p' });
    assert.equal((await read({ fhirUser: `${PUBLIC_URL}/xiehe/fhir/Practitioner/d` }))?.user?.institution, 'xiehe');
    assert.deepEqual((await read({}))?.purposes, []);
    assert.deepEqual((await read(b2b(['urn:oid:2.16.840.1.113883.5.8#HRESCH'])))?.purposes, ['HRESCH']);
    assert.deepEqual((await read({ scope: undefined as never }))?.scopes, []);
    assert.equal((await read({ scope: 'admin' }))?.administrator, true);
    for (const claims of [
      { institution: undefined },
      { institution: 'elsewhere' },
      { institution: ['st-mary'] },
      { client_id: 7 },
      { scope: ['system/*.rs'] },
      { purpose_of_use: 'TREAT' },
      { purpose_of_use: ['FUN'] },
      { purpose_of_use: [] },
      b2b(['FUN']),
      { patient: 7 },
      { patient: 'Patient/p' },
      { fhirUser: 'https://elsewhere.example/Practitioner/d' },
    ]) {
      assert.equal(await read(claims as JWTPayload), undefined, JSON.stringify(claims));
    }
  });

  test('a token that is not exactly right is refused', async (t) => {
    const key = await testKey('ES256');
    const rsa = await testKey('RS256');
    const { issuer, verify } = await startIssuer(t, [key, rsa]);
    const now = Math.floor(Date.now() / 1000);
    const none = undefined as never;
    const cases: readonly [what: string, token: Promise<string>][] = [
      ['expired', sign(issuer, key, { exp: now - 60 })],
      ['without expiry', sign(issuer, key, { exp: none })],
      ['not valid yet', sign(issuer, key, { nbf: now + 60 })],
      ['issued in the future', sign(issuer, key, { iat: now + 60 })],
      ['issued over an hour ago', sign(issuer, key, { iat: now - 3700 })],
      ['of no known age', sign(issuer, key, { iat: none })],
      ['of another issuer', sign('https://elsewhere.example', key)],
      ['of an issuer that looks alike', sign(`${issuer}/`, key)],
      ['for another audience', sign(issuer, key, { aud: `${PUBLIC_URL}/fhir` })],
      ['for no audience', sign(issuer, key, { aud: none })],
      ['without a client', sign(issuer, key, { client_id: none })],
      ['without a subject', sign(issuer, key, { sub: none })],
      ['an ID token', sign(issuer, key, {}, { typ: 'JWT' })],
      ['of no type', sign(issuer, key, {}, { typ: undefined })],
      ['with an unknown critical header', sign(issuer, key, {}, { crit: ['x'], x: 1 })],
      ['by an unknown kid', sign(issuer, key, {}, { kid: 'other' })],
      ['by another key', sign(issuer, await testKey('ES256'))],
      ['by an embedded key', embedded(issuer)],
      ['HMAC with a public key', hmac(issuer, rsa)],
      ['unsigned', unsigned(issuer, key)],
      ['no JWT', Promise.resolve('A'.repeat(43))],
    ];
    for (const [what, token] of cases) {
      await t.test(what, async () => {
        await assert.rejects(verify(await token), is('token-invalid'));
      });
    }
  });

  test('keys and metadata are kept, and looked for again when they are old', async (t) => {
    const [key, next] = [await testKey('ES256', 'one'), await testKey('ES256', 'two')];
    const { issuer, answers, asked, state, verify, published } = await startIssuer(t, [key]);
    for (const _ of '123') await verify(await sign(issuer, key));
    await assert.rejects(verify(await sign(issuer, next)), is('token-invalid'));
    assert.deepEqual(asked, ['/.well-known/openid-configuration', '/keys']);
    assert.equal((await published.metadata()).tokenEndpoint, `${issuer}/token`);
    answers.set('/keys', JSON.stringify({ keys: [next.publicJwk] }));
    state.now += 3_600_000;
    await assert.rejects(verify(await sign(issuer, key)), is('token-invalid'));
    assert.deepEqual(asked.slice(2), ['/.well-known/openid-configuration', '/keys']);
  });

  test('an issuer with a path publishes in either place', async (t) => {
    const key = await testKey('ES256');
    const { issuer, answers, asked, metadata, verify } = await startIssuer(t, [key], '/realms/a');
    answers.delete('/realms/a/.well-known/openid-configuration');
    answers.set('/.well-known/oauth-authorization-server/realms/a', JSON.stringify(metadata));
    assert.ok(await verify(await sign(issuer, key)));
    assert.equal(asked[1], '/.well-known/oauth-authorization-server/realms/a');
  });

  test('what the issuer publishes is told as it is, and what is no text is left out', async (t) => {
    const { issuer, answers, metadata, published, state } = await startIssuer(t, [await testKey('ES256')]);
    const place = '/.well-known/openid-configuration';
    answers.set(place, JSON.stringify({ ...metadata, introspection_endpoint: `${issuer}/introspect` }));
    assert.deepEqual(await published.metadata(), {
      issuer,
      tokenEndpoint: `${issuer}/token`,
      introspectionEndpoint: `${issuer}/introspect`,
      revocationEndpoint: undefined,
      grantTypes: ['client_credentials'],
      authMethods: ['private_key_jwt'],
      signingAlgorithms: [],
    });
    answers.set(
      place,
      JSON.stringify({ ...metadata, introspection_endpoint: 7, revocation_endpoint: `${issuer}/revoke` }),
    );
    state.now += 3_600_000 - 1;
    assert.equal((await published.metadata()).revocationEndpoint, undefined, 'an hour long what was there');
    state.now += 1;
    assert.partialDeepStrictEqual(await published.metadata(), {
      introspectionEndpoint: undefined,
      revocationEndpoint: `${issuer}/revoke`,
    });
  });

  test('an issuer that cannot be asked is trouble of ours, and is asked again', async (t) => {
    const key = await testKey('ES256');
    const { issuer, answers, metadata, verify } = await startIssuer(t, [key]);
    const place = '/.well-known/openid-configuration';
    for (const answer of [
      undefined,
      'no JSON',
      '[]',
      'null',
      JSON.stringify({ ...metadata, issuer: 'https://elsewhere.example' }),
      JSON.stringify({ ...metadata, jwks_uri: undefined }),
    ]) {
      answers.delete(place);
      if (answer !== undefined) answers.set(place, answer);
      await assert.rejects(verify(await sign(issuer, key)), is('egress-failed'), answer ?? 'no answer');
    }
    answers.set(place, JSON.stringify({ ...metadata, jwks_uri: 'https://169.254.169.254/keys' }));
    await assert.rejects(verify(await sign(issuer, key)), is('egress-refused'));
    answers.set(place, JSON.stringify(metadata));
    answers.set('/keys', '{}');
    await assert.rejects(verify(await sign(issuer, key)), is('egress-failed'));
    answers.set('/keys', JSON.stringify({ keys: [key.publicJwk] }));
    assert.ok(await verify(await sign(issuer, key)));
  });
});

async function embedded(issuer: string): Promise<string> {
  const own = await testKey('ES256');
  return sign(issuer, own, {}, { jwk: own.publicJwk });
}

async function hmac(issuer: string, { publicJwk }: TestKey): Promise<string> {
  const key = await importJWK({ ...publicJwk, ext: true }, 'RS256');
  assert.ok(!(key instanceof Uint8Array));
  const secret = new TextEncoder().encode(await exportSPKI(key));
  return sign(issuer, { publicJwk: { ...publicJwk, alg: 'HS256' }, privateKey: secret as never });
}

async function unsigned(issuer: string, key: TestKey): Promise<string> {
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
  return `${header}.${(await sign(issuer, key)).split('.')[1]}.`;
}
