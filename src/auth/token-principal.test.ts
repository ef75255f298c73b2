import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatScope } from './scopes.ts';
import { principalOf, type TokenClaims } from './token-principal.ts';

const PUBLIC_URL = 'https://records.example';
const claims: TokenClaims = {
  clientId: 'c',
  institution: 'st-mary',
  scope: 'system/*.rs user/*.rs patient/*.rs',
  purposes: ['TREAT'],
  patient: undefined,
  fhirUser: undefined,
};
const read = (more: Partial<TokenClaims>) => principalOf({ ...claims, ...more }, PUBLIC_URL);
const scopesOf = (more: Partial<TokenClaims>) => read(more)?.scopes.map(formatScope);
const identity = (type: string, id: string, institution = 'st-mary') => ({ institution, type, id });

describe('the principal of a token', () => {
  test('scopes hold only with what bears them out', () => {
    assert.deepEqual(scopesOf({}), ['system/*.rs']);
    assert.deepEqual(scopesOf({ patient: 'p' }), ['patient/*.rs']);
    assert.deepEqual(scopesOf({ fhirUser: 'Practitioner/d' }), ['user/*.rs']);
    assert.deepEqual(scopesOf({ fhirUser: 'Practitioner/d', patient: 'p' }), ['user/*.rs', 'patient/*.rs']);
    assert.deepEqual(scopesOf({ scope: '' }), []);
    assert.deepEqual(scopesOf({ scope: 'openid nonsense' }), []);
  });

  test('an administrator has no clinical scope', () => {
    const principal = read({ scope: 'system/*.cruds admin' });
    assert.deepEqual([principal?.administrator, principal?.scopes], [true, []]);
    assert.equal(read({ scope: 'system/admin.rs administrator' })?.administrator, false);
  });

  test('a patient is the user of their own token, unless it names another user', () => {
    assert.deepEqual(read({ patient: 'p' })?.user, identity('Patient', 'p'));
    const principal = read({ patient: 'p', fhirUser: 'Practitioner/d' });
    assert.deepEqual([principal?.patient, principal?.user], [identity('Patient', 'p'), identity('Practitioner', 'd')]);
    assert.equal(read({})?.user, undefined);
  });

  for (const [fhirUser, user] of [
    ['Practitioner/d', identity('Practitioner', 'd')],
    ['Patient/p', identity('Patient', 'p')],
    ['RelatedPerson/r', identity('RelatedPerson', 'r')],
    [`${PUBLIC_URL}/st-mary/fhir/Practitioner/d`, identity('Practitioner', 'd')],
    [`${PUBLIC_URL}/xiehe/fhir/Practitioner/d`, identity('Practitioner', 'd', 'xiehe')],
    ['Person/p', undefined],
    ['PractitionerRole/p', identity('PractitionerRole', 'p')],
    ['Practitioner/', undefined],
    ['Practitioner/a b', undefined],
    ['Practitioner/d/_history/1', undefined],
    ['xiehe/fhir/Practitioner/d', undefined],
    [`${PUBLIC_URL}/Practitioner/d`, undefined],
    [`${PUBLIC_URL}/fhir/Practitioner/d`, undefined],
    [`${PUBLIC_URL}.example/xiehe/fhir/Practitioner/d`, undefined],
    ['https://elsewhere.example/xiehe/fhir/Practitioner/d', undefined],
    ['', undefined],
  ] as const) {
    test(`fhirUser "${fhirUser}"`, () => assert.deepEqual(read({ fhirUser })?.user, user));
  }
  for (const patient of ['', 'Patient/p', 'a b', 'x'.repeat(65)]) {
    test(`patient "${patient.slice(0, 20)}" is none`, () => assert.equal(read({ patient }), undefined));
  }
});
