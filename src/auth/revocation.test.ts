import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  getToken,
  post,
  postAs,
  registerClient,
  requestToken,
  signAssertion,
  startAuth,
  testKey,
} from '../../conformance/support/test-auth.ts';
import { MedSealError } from '../errors.ts';
import { createChangeFeed } from './changes.ts';

const invalidToken = (error: unknown) => error instanceof MedSealError && error.code === 'token-invalid';

describe('introspection and revocation', () => {
  test('a client introspects its own tokens, an administrator all of them', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key, { patient: 'p-1', scopes: ['patient/*.rs'], purposes: ['PATRQT'] });
    const other = await registerClient(auth, key);
    const operator = await registerClient(auth, key, {
      administrator: true,
      institution: '',
      scopes: ['admin'],
      purposes: [],
    });
    const issued = await getToken(auth, key, id, { scope: 'patient/*.rs' });
    const inspect = async (by: string) => (await postAs(auth, key, by, '/introspect', { token: issued })).body;
    for (const by of [id, operator]) {
      const { iat, exp, ...rest } = await inspect(by);
      assert.equal(Number(exp) - Number(iat), 300);
      assert.deepEqual(rest, {
        active: true,
        client_id: id,
        iss: auth.issuer,
        aud: auth.publicUrl,
        scope: 'patient/*.rs',
        token_type: 'Bearer',
        patient: 'p-1',
        purpose_of_use: ['PATRQT'],
      });
    }
    assert.deepEqual(await inspect(other), { active: false });
    const unknown = await postAs(auth, key, id, '/introspect', { token: 'A'.repeat(43) });
    assert.deepEqual(unknown.body, { active: false });
  });

  test('both need a client that proves itself', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const issued = await getToken(auth, key, id);
    for (const path of ['/introspect', '/revoke']) {
      const bare = await fetch(auth.issuer + path, { method: 'POST', body: new URLSearchParams({ token: issued }) });
      assert.equal(bare.status, 400);
      const forged = await signAssertion(auth, await testKey('ES384'), id);
      assert.equal((await post(auth, path, forged, { token: issued })).status, 401);
    }
    await auth.authenticator().authenticate(`Bearer ${issued}`);
  });

  test('a revoked token is refused by the next request, here and on every replica', { timeout: 60_000 }, async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const issued = await getToken(auth, key, id);
    const replicaFeed = await createChangeFeed(auth.database);
    t.after(() => replicaFeed.close());
    const here = auth.authenticator();
    const replica = auth.authenticator(replicaFeed);
    for (const authenticator of [here, replica]) await authenticator.authenticate(`Bearer ${issued}`);

    const heard = new Promise<void>((resolve) => {
      replicaFeed.subscribe((change) => {
        if (change.kind === 'token') resolve();
      });
    });
    const { status } = await postAs(auth, key, id, '/revoke', { token: issued });
    assert.equal(status, 200);
    await assert.rejects(here.authenticate(`Bearer ${issued}`), invalidToken);
    await heard;
    await assert.rejects(replica.authenticate(`Bearer ${issued}`), invalidToken);
    assert.deepEqual((await postAs(auth, key, id, '/introspect', { token: issued })).body, { active: false });
    // RFC 7009, section 2.2: revoking what is not there succeeds.
    assert.equal((await postAs(auth, key, id, '/revoke', { token: issued })).status, 200);
  });

  test('a client does not revoke another’s token', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const other = await registerClient(auth, key);
    const issued = await getToken(auth, key, id);
    assert.equal((await postAs(auth, key, other, '/revoke', { token: issued })).body.error, 'invalid_request');
    await auth.authenticator().authenticate(`Bearer ${issued}`);
  });

  test('disabling a client ends its tokens and gives it no more', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const issued = await getToken(auth, key, id);
    const authenticator = auth.authenticator();
    await authenticator.authenticate(`Bearer ${issued}`);
    await auth.clients.disable(id);
    await assert.rejects(authenticator.authenticate(`Bearer ${issued}`), invalidToken);
    assert.equal((await requestToken(auth, await signAssertion(auth, key, id))).body.error, 'invalid_client');
  });

  test('replaced keys hold for the next request', async (t) => {
    const auth = await startAuth(t);
    const [before, after] = [await testKey('ES384', 'one'), await testKey('RS384', 'two')];
    const id = await registerClient(auth, before);
    const issued = await getToken(auth, before, id);
    await auth.clients.replaceKeys(id, { jwks: { keys: [after.publicJwk] } });
    assert.equal((await requestToken(auth, await signAssertion(auth, before, id))).status, 401);
    await getToken(auth, after, id);
    await auth.authenticator().authenticate(`Bearer ${issued}`);
  });
});
