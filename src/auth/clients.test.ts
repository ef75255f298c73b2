import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startAuth, testKey } from '../../conformance/support/test-auth.ts';
import { MedSealError } from '../errors.ts';
import type { Change } from './changes.ts';
import type { ClientRegistration } from './client-registration.ts';
import { createClientRegistry } from './clients.ts';

const refusal = (code: string, why: RegExp) => (error: unknown) => {
  assert.ok(error instanceof MedSealError);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, why);
  return true;
};

describe('registry', () => {
  test('institutions have names that can be a path segment', async (t) => {
    const { clients } = await startAuth(t);
    assert.deepEqual(await clients.institutions(), ['st-mary', 'xiehe']);
    await clients.addInstitution('a');
    await clients.addInstitution('0-9');
    assert.deepEqual(await clients.institutions(), ['0-9', 'a', 'st-mary', 'xiehe']);
    await assert.rejects(clients.addInstitution('a'), refusal('already-exists', /name/));
    for (const name of ['', 'A', 'a_b', '-a', 'a-', 'a/b', '协和', '..', 'a'.repeat(64), 'fhir', 'auth', 'portal']) {
      await assert.rejects(clients.addInstitution(name), refusal('invalid-parameter', /path segment/), name);
    }
  });

  test('a client is found as it was registered', async (t) => {
    const { clients } = await startAuth(t);
    const { publicJwk } = await testKey('ES384');
    const registration = {
      id: 'his',
      institution: 'xiehe',
      purposes: ['TREAT'],
      scopes: ['patient/*.rs'],
      patient: 'p',
    };
    await clients.add({ ...registration, jwks: { keys: [publicJwk] } });
    const { kty, kid, alg, use, crv, x, y } = publicJwk;
    const stored = {
      ...registration,
      jwks: { keys: [{ kty, kid, alg, use, crv, x, y }] },
      administrator: false,
      disabled: false,
    };
    assert.deepEqual(await clients.find('his'), stored);
    assert.deepEqual(await clients.list(), [stored]);
    assert.equal(await clients.find('other'), undefined);
  });

  test('what cannot be granted is not registered', async (t) => {
    const auth = await startAuth(t, { egressAllow: ['keys.internal:8080'] });
    const { publicJwk } = await testKey('ES384');
    const keys = { jwks: { keys: [publicJwk] } };
    const good = { id: 'c', institution: 'st-mary', purposes: ['TREAT'], scopes: ['system/*.rs'], ...keys };
    const cases: readonly [what: string, more: Partial<ClientRegistration> & { jwks?: unknown }, why: RegExp][] = [
      ['an id with a space', { id: 'a b' }, /id must/],
      ['an empty id', { id: '' }, /id must/],
      ['no keys', { jwks: undefined }, /exactly one of jwks and jwksUri/],
      ['keys twice over', { jwksUri: 'https://c.example/jwks' }, /exactly one/],
      ['keys that are none', { jwks: {} }, /list "keys"/],
      ['keys at an address inside', { jwks: undefined, jwksUri: 'https://127.0.0.1/jwks' }, /jwksUri: .*not public/],
      ['keys over http', { jwks: undefined, jwksUri: 'http://c.example/jwks' }, /jwksUri: .*not https/],
      ['keys at no address', { jwks: undefined, jwksUri: 'jwks' }, /jwksUri: /],
      ['an unknown purpose', { purposes: ['FUN'] }, /"FUN" is not/],
      ['no scopes', { scopes: [] }, /scopes must not be empty/],
      ['a malformed scope', { scopes: ['system/*.sr'] }, /"system\/\*\.sr" is not/],
      ['a scope of an unknown type', { scopes: ['system/Foo.rs'] }, /known type/],
      ['two scopes in one', { scopes: ['system/Patient.r system/Observation.r'] }, /is not a SMART/],
      ['a user’s scope without a user', { scopes: ['user/*.rs'] }, /begin with system\//],
      ['a patient’s scope without a patient', { scopes: ['patient/*.rs'] }, /begin with system\//],
      ['a backend’s scope for a patient', { patient: 'p' }, /begin with patient\//],
      ['a backend’s scope for a practitioner', { practitioner: 'd' }, /begin with user\//],
      ['a patient that is no id', { patient: 'Patient/p', scopes: ['patient/*.rs'] }, /logical ids/],
      ['a practitioner that is no id', { practitioner: '', scopes: ['user/*.rs'] }, /logical ids/],
      ['a patient and a practitioner', { patient: 'p', practitioner: 'd', scopes: ['user/*.rs'] }, /not for two/],
      [
        'an administrator for a patient',
        { administrator: true, institution: '', patient: 'p', scopes: ['admin'] },
        /not for two/,
      ],
      [
        'clinical scopes for an administrator',
        { administrator: true, institution: '', scopes: ['admin', 'system/*.rs'] },
        /admin only/,
      ],
      ['administration for a backend', { scopes: ['admin'] }, /"admin" is not/],
    ];
    for (const [what, more, why] of cases) {
      await t.test(what, () =>
        assert.rejects(auth.clients.add({ ...good, ...more } as never), refusal('invalid-parameter', why)),
      );
    }
    await assert.rejects(auth.clients.add({ ...good, institution: 'elsewhere' }), refusal('not-found', /institution/));
    await auth.clients.add(good);
    await assert.rejects(auth.clients.add(good), refusal('already-exists', /id/));
    await auth.clients.add({ ...good, id: 'd', jwks: undefined, jwksUri: 'http://keys.internal:8080/jwks' } as never);
    assert.deepEqual(
      (await auth.clients.list()).map(({ id }) => id),
      ['c', 'd'],
    );
  });

  test('a change is known at once here, and soon on other replicas', { timeout: 60_000 }, async (t) => {
    const auth = await startAuth(t);
    const [one, two] = [await testKey('ES384', 'one'), await testKey('RS384', 'two')];
    await auth.clients.add({
      id: 'c',
      institution: 'st-mary',
      purposes: [],
      scopes: ['system/*.rs'],
      jwks: { keys: [one.publicJwk] },
    });
    // Two registries on one feed that hears of changes from the database only.
    const heard: (() => void)[] = [];
    const deaf = { ...auth.changes, announce: () => undefined };
    const replica = createClientRegistry({ ...auth, changes: deaf });
    assert.equal((await replica.find('c'))?.jwks?.keys[0]?.kid, 'one');
    const told = new Promise<void>((resolve) => {
      heard.push(resolve);
    });
    auth.changes.subscribe(({ kind }) => {
      if (kind === 'client') for (const resolve of heard) resolve();
    });
    await createClientRegistry({ ...auth, changes: deaf }).replaceKeys('c', { jwks: { keys: [two.publicJwk] } });
    await told;
    assert.equal((await replica.find('c'))?.jwks?.keys[0]?.kid, 'two');

    await auth.clients.find('c');
    await auth.clients.disable('c');
    assert.equal((await auth.clients.find('c'))?.disabled, true);
    await auth.clients.disable('c');
  });

  test('a replica that may have missed news believes nothing that it kept', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const jwks = { keys: [key.publicJwk] };
    for (const id of ['c', 'd']) {
      await auth.clients.add({ id, institution: 'st-mary', purposes: [], scopes: ['system/*.rs'], jwks });
    }
    const listeners: ((change: Change) => void)[] = [];
    const changes = { ...auth.changes, subscribe: (one: (change: Change) => void) => void listeners.push(one) };
    const replica = createClientRegistry({ ...auth, changes });
    const disabled = () => Promise.all(['c', 'd'].map(async (id) => (await replica.find(id))?.disabled));
    const hear = (change: Change) => {
      for (const listener of listeners) listener(change);
    };
    assert.deepEqual(await disabled(), [false, false]);
    for (const id of ['c', 'd']) await auth.clients.disable(id);
    hear({ kind: 'token', digest: 'x' });
    assert.deepEqual(await disabled(), [false, false], 'as long as nothing is heard');
    hear({ kind: 'client', id: 'c' });
    assert.deepEqual(await disabled(), [true, false]);
    hear({ kind: 'anything' });
    assert.deepEqual(await disabled(), [true, true]);
  });

  test('replacing keys keeps the rest, and is refused for what is not there or not good', async (t) => {
    const { clients } = await startAuth(t);
    const [one, two] = [await testKey('ES384', 'one'), await testKey('ES384', 'two')];
    const registration = {
      id: 'c',
      institution: 'st-mary',
      purposes: ['TREAT'],
      scopes: ['user/*.rs'],
      practitioner: 'd',
    };
    await clients.add({ ...registration, jwks: { keys: [one.publicJwk] } });
    await clients.replaceKeys('c', { jwksUri: 'https://c.example/jwks' });
    const expected = { ...registration, administrator: false, disabled: false };
    assert.deepEqual(await clients.find('c'), { ...expected, jwksUri: 'https://c.example/jwks' });
    await clients.replaceKeys('c', { jwks: { keys: [two.publicJwk] } });
    const found = await clients.find('c');
    assert.deepEqual([found?.jwks?.keys[0]?.kid, found?.jwksUri, found?.practitioner], ['two', undefined, 'd']);
    await assert.rejects(clients.replaceKeys('c', {}), refusal('invalid-parameter', /exactly one/));
    await assert.rejects(clients.replaceKeys('x', { jwks: { keys: [two.publicJwk] } }), refusal('not-found', /client/));
    await assert.rejects(clients.disable('x'), refusal('not-found', /client/));
  });

  test('of two replacements at the same time one is told so', async (t) => {
    const { clients } = await startAuth(t);
    const key = await testKey('ES384');
    const jwks = { keys: [key.publicJwk] };
    await clients.add({ id: 'c', institution: 'st-mary', purposes: [], scopes: ['system/*.rs'], jwks });
    const settled = await Promise.allSettled(Array.from({ length: 8 }, () => clients.replaceKeys('c', { jwks })));
    const failures = settled.filter((result) => result.status === 'rejected');
    assert.ok(failures.length < settled.length);
    for (const { reason } of failures) assert.equal(reason.code, 'version-conflict');
  });
});
