import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { registerClient, startAuth, testKey } from '../../conformance/support/test-auth.ts';
import type { Principal, ResourceIdentity } from '../request-context.ts';
import { createEmergencyTokens } from './emergency-tokens.ts';
import { formatScope, parseScopes } from './scopes.ts';

const DOCTOR: ResourceIdentity = { institution: 'st-mary', type: 'Practitioner', id: 'd-1' };
const PATIENT: ResourceIdentity = { institution: 'xiehe', type: 'Patient', id: 'p-1' };

const asking = (clientId: string, scope: string): Principal => ({
  clientId,
  institution: 'st-mary',
  scopes: parseScopes(scope),
  purposes: ['TREAT'],
  user: DOCTOR,
  administrator: false,
});

describe('a token for an emergency', () => {
  test('is for one patient, one practitioner and emergency treatment, until it is taken back', async (t) => {
    const auth = await startAuth(t);
    const tokens = createEmergencyTokens(auth);
    const id = await registerClient(auth, await testKey('ES384'), { practitioner: 'd-1', scopes: ['user/*.cruds'] });
    const { token, digest, scope } = await tokens.issue(asking(id, 'user/*.rs'), DOCTOR, PATIENT, 600);
    assert.match(token, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(scope, 'user/*.rs');
    // As another replica, which has not heard of it.
    const authenticator = auth.authenticator();
    const principal = await authenticator.authenticate(`Bearer ${token}`);
    const { scopes, ...rest } = principal;
    assert.deepEqual(rest, {
      clientId: id,
      institution: 'st-mary',
      purposes: ['ETREAT'],
      user: DOCTOR,
      administrator: false,
      emergency: PATIENT,
    });
    assert.deepEqual(scopes.map(formatScope), ['user/*.rs']);
    await tokens.revoke(digest);
    await assert.rejects(authenticator.authenticate(`Bearer ${token}`), { code: 'token-invalid' }, 'nor from a cache');
  });

  test('reads what the practitioner may read anyway, and writes nothing', async (t) => {
    const auth = await startAuth(t);
    const tokens = createEmergencyTokens(auth);
    const id = await registerClient(auth, await testKey('ES384'), { practitioner: 'd-1', scopes: ['user/*.cruds'] });
    const granted = async (scope: string) => (await tokens.issue(asking(id, scope), DOCTOR, PATIENT, 60)).scope;
    assert.equal(await granted('user/Observation.cruds user/Patient.r'), 'user/Observation.rs user/Patient.r');
    assert.equal(await granted('user/Observation.s user/Patient.cud patient/*.rs system/*.rs'), 'user/Observation.s');
    for (const none of ['', 'user/*.cud', 'system/*.rs patient/*.rs']) {
      await assert.rejects(granted(none), { code: 'forbidden' }, none);
    }
  });
});
