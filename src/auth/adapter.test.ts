import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Adapter } from 'oidc-provider';
import { startAuth, type TestAuth } from '../../conformance/support/test-auth.ts';
import { createAdapterFactory, placeOf } from './adapter.ts';
import type { Change } from './changes.ts';

async function adapters(t: TestContext): Promise<{ auth: TestAuth; adapter: (model: string) => Adapter }> {
  const auth = await startAuth(t);
  return { auth, adapter: createAdapterFactory(auth) };
}

describe('adapter: what oidc-provider keeps', () => {
  test('is found by its value, and only as what it is', async (t) => {
    const { adapter, auth } = await adapters(t);
    const codes = adapter('AuthorizationCode');
    await codes.upsert('value', { jti: 'value', clientId: 'c', scope: 'openid' }, 60);
    assert.deepEqual(await codes.find('value'), { jti: 'value', clientId: 'c', scope: 'openid' });
    assert.equal(await codes.find('Value'), undefined);
    assert.equal(await adapter('AccessToken').find('value'), undefined);
    const [row] = await auth.database.query<{ digest: Buffer; sealed: string }>(
      'writer',
      'select digest, sealed from auth_artifact',
      [],
    );
    assert.ok(row);
    const kept = await auth.box.open(placeOf('AuthorizationCode', row.digest), row.sealed);
    assert.deepEqual(kept, { clientId: 'c', scope: 'openid' }, 'not even the sealed payload has the value');
    await codes.destroy('value');
    assert.equal(await codes.find('value'), undefined);
    await codes.destroy('value');
  });

  test('is replaced by what is saved under the same value', async (t) => {
    const { adapter } = await adapters(t);
    const grants = adapter('Grant');
    await grants.upsert('g', { jti: 'g', accountId: 'one' }, 60);
    await grants.upsert('g', { jti: 'g', accountId: 'two' }, 60);
    assert.equal((await grants.find('g'))?.accountId, 'two');
  });

  test('is used up once, and says when', async (t) => {
    const { adapter } = await adapters(t);
    const codes = adapter('AuthorizationCode');
    await codes.upsert('value', { jti: 'value' }, 60);
    await codes.consume('value');
    const first = (await codes.find('value'))?.consumed;
    assert.ok(Math.abs(first - Date.now() / 1000) < 60);
    await codes.consume('value');
    assert.equal((await codes.find('value'))?.consumed, first);
  });

  test('is gone when its time is over', async (t) => {
    const { auth, adapter } = await adapters(t);
    const codes = adapter('AuthorizationCode');
    await codes.upsert('value', { jti: 'value' }, 60);
    await auth.database.query('writer', 'update auth_artifact set expires_at = now()', []);
    assert.equal(await codes.find('value'), undefined);
  });

  test('a session is found by its uid as well', async (t) => {
    const { adapter } = await adapters(t);
    const sessions = adapter('Session');
    const session = { jti: 'cookie', uid: 'u', accountId: 'a' };
    await sessions.upsert('cookie', session, 60);
    assert.deepEqual(await sessions.findByUid('u'), session);
    assert.deepEqual(await sessions.find('cookie'), session);
    assert.equal(await sessions.findByUid('cookie'), undefined);
    assert.equal(await sessions.findByUserCode('u'), undefined);
  });

  test('revoking a grant takes what this kind gave out under it, and everyone hears', async (t) => {
    const { auth, adapter } = await adapters(t);
    const tokens = adapter('AccessToken');
    await tokens.upsert('one', { jti: 'one', grantId: 'g' }, 60);
    await tokens.upsert('two', { jti: 'two', grantId: 'g' }, 60);
    await tokens.upsert('other', { jti: 'other', grantId: 'h' }, 60);
    await adapter('RefreshToken').upsert('refresh', { jti: 'refresh', grantId: 'g' }, 60);
    const heard: Change[] = [];
    auth.changes.subscribe((change) => heard.push(change));
    await tokens.revokeByGrantId('g');
    const found = await Promise.all(['one', 'two', 'other'].map((value) => tokens.find(value)));
    assert.deepEqual(
      found.map((payload) => payload?.grantId),
      [undefined, undefined, 'h'],
    );
    assert.ok(await adapter('RefreshToken').find('refresh'));
    assert.ok(heard.some(({ kind }) => kind === 'anything'));
  });

  test('an assertion is used once, and has an issuer and an expiry', async (t) => {
    const { adapter } = await adapters(t);
    const used = adapter('ReplayDetection');
    await used.upsert('one', { iss: 'client' } as never, 60);
    assert.equal(await used.find('one'), undefined, 'only the insert tells');
    await assert.rejects(used.upsert('one', { iss: 'client' } as never, 60), /invalid_client/);
    await used.upsert('one', { iss: 'other' } as never, 60);
    await assert.rejects(used.upsert('two', {}, 60), /issuer and an expiry/);
    await assert.rejects(used.upsert('two', { iss: 'client' } as never, undefined as never), /issuer and an expiry/);
    await assert.rejects(adapter('AccessToken').upsert('three', { jti: 'three' }, undefined as never), /expires/);
  });

  test('clients are the registry’s, and not for the provider to write', async (t) => {
    const { adapter } = await adapters(t);
    const clients = adapter('Client');
    assert.equal(await clients.find('nobody'), undefined);
    await assert.rejects(clients.upsert('me', {}, 60), { code: 'internal' });
    await assert.rejects(clients.destroy('me'), { code: 'internal' });
  });
});
