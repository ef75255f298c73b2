import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import {
  CompactSign,
  type CryptoKey,
  exportPKCS8,
  exportSPKI,
  importJWK,
  importPKCS8,
  type JWTPayload,
  SignJWT,
} from 'jose';
import {
  registerClient,
  requestToken,
  signAssertion,
  startAuth,
  type TestAuth,
  type TestKey,
  testKey,
} from '../../conformance/support/test-auth.ts';
import { silentLogger } from '../logger.ts';
import { checkAssertion } from './client-assertion.ts';
import { createEgress } from './egress.ts';
import { createAuthorizationServer } from './server.ts';

const now = () => Math.floor(Date.now() / 1000);

/** A published key set whose content and hits a test can see and change. */
async function publishKeys(t: TestContext, keys: unknown[]) {
  const published = { keys, hits: 0, url: '', origin: '' };
  const server = createServer((_request, response) => {
    published.hits += 1;
    response.end(JSON.stringify({ keys: published.keys }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const hostPort = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(published, { url: `http://${hostPort}/jwks`, hostPort });
}

async function refusedAsClient(auth: TestAuth, assertion: string, why?: RegExp): Promise<void> {
  const { status, body } = await requestToken(auth, assertion);
  assert.deepEqual([status, body.error, body.access_token], [401, 'invalid_client', undefined]);
  if (why !== undefined) assert.match(String(body.error_description), why);
}

describe('client assertions', () => {
  for (const alg of ['RS384', 'ES384']) {
    test(`${alg} is accepted, for the token endpoint and for the issuer`, async (t) => {
      const auth = await startAuth(t);
      const key = await testKey(alg);
      const id = await registerClient(auth, key);
      for (const aud of [auth.tokenEndpoint, auth.issuer, [auth.tokenEndpoint]]) {
        const answer = await requestToken(auth, await signAssertion(auth, key, id, { aud }));
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
      }
    });
  }

  test('what a signed assertion says is held to', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const other = await registerClient(auth, key);
    const spare = await testKey('ES384', 'spare');
    const cases: readonly [
      what: string,
      claims: JWTPayload,
      header?: Readonly<Record<string, unknown>>,
      why?: RegExp,
    ][] = [
      ['another audience', { aud: 'https://elsewhere.example/token' }],
      ['the introspection endpoint as audience', { aud: `${auth.issuer}/introspect` }],
      ['the public base as audience', { aud: auth.publicUrl }],
      ['the token endpoint with a slash', { aud: `${auth.tokenEndpoint}/` }],
      ['an audience among others', { aud: [auth.tokenEndpoint, 'https://elsewhere.example'] }, {}, /nothing else/],
      ['the same audience twice', { aud: [auth.tokenEndpoint, auth.tokenEndpoint] }, {}, /nothing else/],
      ['an empty list of audiences', { aud: [] }],
      ['no audience', { aud: undefined as never }],
      ['an expired one', { exp: now() - 60 }],
      ['no expiry', { exp: undefined as never }],
      ['an expiry that is far away', { exp: now() + 330 }, {}, /five minutes/],
      ['an expiry that is no number', { exp: '1' as never }],
      ['one that is not valid yet', { nbf: now() + 60 }],
      ['no jti', { jti: undefined as never }],
      ['a jti that is no text', { jti: 7 as never }],
      ['no issuer', { iss: undefined as never }],
      ['another issuer', { iss: other }],
      ['no subject', { sub: undefined as never }],
      ['an unknown client', { iss: 'nobody', sub: 'nobody' }],
      ['no kid', {}, { kid: undefined }, /kid/],
      ['an unknown kid', {}, { kid: 'unknown' }],
      ['a kid that is no text', {}, { kid: 7 }],
      ['another type of token', {}, { typ: 'at+jwt' }, /typ/],
      ['an embedded jwk', {}, { jwk: spare.publicJwk }, /bring a key/],
      ['an embedded certificate', {}, { x5c: ['AAAA'] }, /bring a key/],
      ['a certificate by URL', {}, { x5u: 'https://elsewhere.example/cert' }, /bring a key/],
      ['a jku where no jwks_uri is registered', {}, { jku: 'https://elsewhere.example/jwks' }, /jku/],
      ['a critical header that nobody knows', {}, { crit: ['x'], x: 1 }],
    ];
    for (const [what, claims, header, why] of cases) {
      await t.test(what, async () => {
        const given = JSON.parse(JSON.stringify({ kid: key.publicJwk.kid, ...header }));
        const payload = { iss: id, sub: id, aud: auth.tokenEndpoint, exp: now() + 240, jti: randomUUID(), ...claims };
        const assertion = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
          .setProtectedHeader({ alg: 'ES384', typ: 'JWT', ...given })
          .sign(key.privateKey, given.crit === undefined ? {} : { crit: { x: false } });
        const answer = await requestToken(auth, assertion);
        assert.ok([400, 401].includes(answer.status), String(answer.status));
        assert.match(String(answer.body.error), /^invalid_(client|request)$/);
        assert.equal(answer.body.access_token, undefined);
        if (why !== undefined) assert.match(String(answer.body.error_description), why);
      });
    }
  });

  test('a Host header does not make another server’s assertion ours', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const theirs = 'http://elsewhere.example';
    const stolen = await signAssertion(auth, key, id, { aud: `${theirs}/auth/token` });
    const { port } = new URL(auth.issuer);
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/*.rs',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: stolen,
    }).toString();
    for (const [target, host] of [
      ['/auth/token', 'elsewhere.example'],
      [`${theirs}/auth/token`, 'elsewhere.example'],
    ] as const) {
      const answer = await rawPost(Number(port), target, host, body);
      assert.match(answer, /^HTTP\/1.1 40[14]/);
      assert.ok(!answer.includes('access_token'));
    }
    // Nor does it, or a proxy that sets it, make ours another's.
    const ours = body.replace(encodeURIComponent(stolen), await signAssertion(auth, key, id));
    assert.match(await rawPost(Number(port), '/auth/token', 'elsewhere.example', ours), /^HTTP\/1.1 200/);
  });

  test('a signature proves nothing when made by another algorithm or key', async (t) => {
    const auth = await startAuth(t);
    const rsa = await testKey('RS384');
    const ec = await testKey('ES384');
    const id = await registerClient(auth, rsa, { jwks: { keys: [rsa.publicJwk, ec.publicJwk] } });
    const claims = () => ({ iss: id, sub: id, aud: auth.tokenEndpoint, exp: now() + 240, jti: randomUUID() });
    const signAs = (header: { alg: string; kid: string }, key: Parameters<SignJWT['sign']>[0]) =>
      new SignJWT(claims()).setProtectedHeader({ typ: 'JWT', ...header }).sign(key);
    const kid = 'RS384-key';

    await t.test('none', async () => {
      const [header, payload] = [{ alg: 'none', typ: 'JWT', kid }, claims()].map((part) =>
        Buffer.from(JSON.stringify(part)).toString('base64url'),
      );
      await refusedAsClient(auth, `${header}.${payload}.`);
      const good = await signAs({ alg: 'RS384', kid }, rsa.privateKey);
      await refusedAsClient(auth, `${header}.${good.split('.').slice(1).join('.')}`);
      await refusedAsClient(auth, `${good.split('.').slice(0, 2).join('.')}.`);
    });
    await t.test('HMAC with the public key as its secret', async () => {
      const pem = await exportSPKI(await importKey(rsa, 'RS384'));
      for (const alg of ['HS256', 'HS384', 'HS512']) {
        await refusedAsClient(auth, await signAs({ alg, kid }, new TextEncoder().encode(pem)));
        await refusedAsClient(auth, await signAs({ alg, kid }, Buffer.from(rsa.publicJwk.n ?? '', 'base64url')));
      }
    });
    await t.test('algorithms that are not on the list', async () => {
      const pkcs8 = await exportPKCS8(rsa.privateKey);
      for (const alg of ['RS256', 'RS512', 'PS256', 'PS384', 'PS512']) {
        await refusedAsClient(auth, await signAs({ alg, kid }, await importPKCS8(pkcs8, alg)));
      }
      for (const alg of ['ES256', 'ES512', 'EdDSA']) {
        await refusedAsClient(auth, await signAs({ alg, kid: 'ES384-key' }, (await testKey(alg)).privateKey));
      }
    });
    await t.test('an unregistered key under a registered kid, and a registered key under the other kid', async () => {
      await refusedAsClient(auth, await signAs({ alg: 'RS384', kid }, (await testKey('RS384')).privateKey));
      await refusedAsClient(auth, await signAs({ alg: 'RS384', kid: 'ES384-key' }, rsa.privateKey));
      await refusedAsClient(auth, await signAs({ alg: 'ES384', kid }, ec.privateKey));
    });
    await t.test('an altered claim', async () => {
      const [header, , signature] = (await signAs({ alg: 'RS384', kid }, rsa.privateKey)).split('.');
      const payload = Buffer.from(JSON.stringify(claims())).toString('base64url');
      await refusedAsClient(auth, `${header}.${payload}.${signature}`);
    });
    await t.test('another client’s key', async () => {
      const mine = await testKey('ES384');
      await registerClient(auth, mine);
      await refusedAsClient(auth, await signAssertion(auth, mine, id));
    });
  });

  test('of 50 simultaneous uses of one assertion exactly one gets a token, and no later one', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const jti = randomUUID();
    const assertion = await signAssertion(auth, key, id, { jti });
    const answers = await Promise.all(Array.from({ length: 50 }, () => requestToken(auth, assertion)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.ok(answers.every(({ status, body }) => status === 200 || body.error === 'invalid_client'));
    await refusedAsClient(auth, assertion);
    // The jti is what counts, not the text around it.
    await refusedAsClient(auth, await signAssertion(auth, key, id, { jti, exp: now() + 100 }));
    const [stored] = await auth.database.query<{ tokens: bigint }>(
      'writer',
      'select count(*) as tokens from auth_artifact',
      [],
    );
    assert.equal(stored?.tokens, 1n);
  });

  test('clients do not use up each other’s jti', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    // Issuer and jti, joined without a boundary, are the same text for both.
    await registerClient(auth, key, { id: 'ab' });
    await registerClient(auth, key, { id: 'a' });
    assert.equal((await requestToken(auth, await signAssertion(auth, key, 'ab', { jti: 'c' }))).status, 200);
    assert.equal((await requestToken(auth, await signAssertion(auth, key, 'a', { jti: 'bc' }))).status, 200);
  });

  test('a client that publishes its keys is asked for them, at that address only', async (t) => {
    const key = await testKey('ES384');
    const published = await publishKeys(t, [key.publicJwk]);
    const elsewhere = await publishKeys(t, [key.publicJwk]);
    const auth = await startAuth(t, { egressAllow: [published.hostPort, elsewhere.hostPort] });
    const id = await registerClient(auth, key, { jwks: undefined, jwksUri: published.url } as never);

    const attempt = async (header: Readonly<Record<string, unknown>>, by: TestKey = key) =>
      requestToken(auth, await signAssertion(auth, by, id, {}, header));
    assert.equal((await attempt({})).status, 200);
    assert.equal((await attempt({ jku: published.url })).status, 200);
    assert.equal((await attempt({ jku: elsewhere.url })).status, 401);
    assert.equal((await attempt({ jku: `${published.url}?x` })).status, 401);
    assert.equal((await attempt({ kid: undefined })).status, 401);
    assert.equal((await attempt({ kid: 'unknown' })).status, 401);
    assert.equal((await attempt({}, await testKey('ES384'))).status, 401);
    assert.deepEqual([published.hits, elsewhere.hits], [1, 0], 'the keys are cached');
  });

  test('a published key that is too weak proves nothing', async (t) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const published = await publishKeys(t, [{ ...publicKey.export({ format: 'jwk' }), kid: 'weak' }]);
    const auth = await startAuth(t, { egressAllow: [published.hostPort] });
    const id = await registerClient(auth, await testKey('ES384'), { jwks: undefined, jwksUri: published.url } as never);
    const claims = { iss: id, sub: id, aud: auth.tokenEndpoint, exp: now() + 240, jti: randomUUID() };
    const input = [{ alg: 'RS384', kid: 'weak', typ: 'JWT' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    await refusedAsClient(auth, `${input}.${sign('sha384', Buffer.from(input), privateKey).toString('base64url')}`);
    assert.equal(published.hits, 1);
  });

  test('keys are not fetched from inside, whatever was registered', async (t) => {
    const key = await testKey('ES384');
    const published = await publishKeys(t, [key.publicJwk]);
    const lenient = await startAuth(t, { egressAllow: [published.hostPort] });
    const id = await registerClient(lenient, key, { jwks: undefined, jwksUri: published.url } as never);
    // The same database, under a configuration that no longer allows the address.
    const strict = createAuthorizationServer({ ...lenient, egress: createEgress({ allow: [] }), logger: silentLogger });
    t.after(() => strict.close());
    lenient.http.removeAllListeners('request').on('request', strict.handler);
    await refusedAsClient(lenient, await signAssertion(lenient, key, id));
    assert.equal(published.hits, 0);
  });
});

describe('assertion rules', () => {
  const rules = { issuer: 'https://a.example/auth', tokenEndpoint: 'https://a.example/auth/token', clock: () => 1e12 };
  const claims = { iss: 'c', sub: 'c', aud: rules.issuer, exp: 1e9 + 300, jti: 'j' };
  const header = { alg: 'ES384', kid: 'k', typ: 'JWT' };
  const judge = (more: object, moreHeader: object = {}, client: { id: string; jwksUri?: string } = { id: 'c' }) =>
    checkAssertion({ ...claims, ...more }, { ...header, ...moreHeader }, client, rules);

  test('hold at their edges', () => {
    judge({});
    judge({ exp: 1e9 + 310 });
    judge({}, { typ: undefined });
    judge({}, { typ: 'jwt' });
    judge({}, { jku: 'https://c.example/jwks' }, { id: 'c', jwksUri: 'https://c.example/jwks' });
    assert.throws(() => judge({ exp: 1e9 + 311 }), { error_description: /five minutes/ });
    assert.throws(() => judge({ exp: Number.POSITIVE_INFINITY }), { error_description: /five minutes/ });
    assert.throws(() => judge({}, {}, { id: 'd' }), { error_description: /client_id/ });
    assert.throws(() => judge({ sub: 'd' }), { error_description: /client_id/ });
    assert.throws(() => judge({}, { jku: 'https://c.example/jwks' }), { error_description: /jku/ });
    assert.throws(() => judge({}, { kid: '' }), { error_description: /kid/ });
    assert.throws(() => judge({ jti: '' }), { error_description: /jti/ });
  });
});

async function importKey(key: TestKey, alg: string): Promise<CryptoKey> {
  const imported = await importJWK({ ...key.publicJwk, ext: true }, alg);
  assert.ok(!(imported instanceof Uint8Array));
  return imported;
}

/** As no well-behaved client would write it. */
async function rawPost(port: number, target: string, host: string, body: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return (await socket.setEncoding('utf8').toArray()).join('');
}
