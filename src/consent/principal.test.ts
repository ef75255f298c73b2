import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ASKED, institutionsNamed, NOW } from '../../conformance/support/consent-fixtures.ts';
import { parseScope } from '../auth/scopes.ts';
import { createNames } from '../repository/names.ts';
import { createJournal, type Principal, type RequestContext } from '../request-context.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { createIdentities } from '../sealing/identity.ts';
import { createPrincipalResolver, isPersonal } from './principal.ts';

const SECRET = Buffer.alloc(32, 5);
const names = createNames({
  institutions: institutionsNamed('a', 'b'),
  identities: createIdentities(SECRET),
  publicUrl: 'https://node',
});
const institutions = institutionsNamed('a', 'b');
const resolver = createPrincipalResolver({ institutions, names, tokenizer: createTokenizer(SECRET) });
const is = (name: string) => {
  const [institution = '', type = '', id = ''] = name.split('/');
  return { institution, type, id };
};
const [DOCTOR, ANNA, FATHER] = ['a/Practitioner/d', 'a/Patient/anna', 'a/RelatedPerson/f'] as const;
const A = 'a/Organization/a';

interface Asking {
  readonly scopes: string;
  readonly user?: string;
  readonly patient?: string;
  readonly emergency?: string;
  readonly actingAs?: readonly string[];
  readonly institution?: string;
  readonly purposes?: readonly string[];
}

function contextOf({ scopes, user, patient, emergency, actingAs, institution = 'a', purposes = ['TREAT'] }: Asking) {
  const principal: Principal = {
    clientId: 'app',
    institution,
    scopes: scopes
      .split(' ')
      .map(parseScope)
      .filter((scope) => scope !== undefined),
    purposes,
    administrator: false,
    ...(user && { user: is(user) }),
    ...(patient && { patient: is(patient) }),
    ...(emergency && { emergency: is(emergency) }),
  };
  const context: RequestContext = {
    requestId: 'r',
    principal,
    base: { kind: 'union' },
    instant: NOW,
    asked: ASKED,
    journal: createJournal(),
    ...(actingAs && { actingAs }),
  };
  return context;
}

function asked(asking: Asking) {
  const context = contextOf(asking);
  const request = resolver.accessRequest(context, 'read', 'r');
  return { request, settings: resolver.settings(context, request) };
}

describe('who asks', () => {
  test('a system acts as its institution, which is a custodian', () => {
    const { request, settings } = asked({ scopes: 'system/*.rs' });
    assert.partialDeepStrictEqual(request, { actors: [A], self: [], custodianAccess: true, institution: 'a' });
    assert.equal(request.compartment, undefined);
    assert.deepEqual([settings.institution, settings.custodian, settings.emergency], [1, 1, false]);
  });

  test('a doctor acts as their institution, themselves, and whatever was looked up, each once', () => {
    const { request } = asked({ scopes: 'user/*.rs', user: DOCTOR, actingAs: ['a/Group/g', DOCTOR] });
    assert.deepEqual(request.actors, [A, DOCTOR, 'a/Group/g']);
    assert.deepEqual(request.self, []);
  });

  test('a patient is themselves, and speaks for no institution', () => {
    const { request, settings } = asked({ scopes: 'patient/*.rs', user: ANNA, patient: ANNA });
    assert.deepEqual([request.actors, request.self, request.compartment], [[ANNA], [ANNA], [ANNA]]);
    assert.equal(request.custodianAccess, false);
    assert.deepEqual([settings.institution, settings.custodian], [undefined, undefined]);
    assert.deepEqual(settings.self, [names.idToken(ANNA)]);
  });

  test('a RelatedPerson is only who they were found to be, and is never the patient', () => {
    const { request } = asked({ scopes: 'patient/*.rs', user: FATHER, patient: ANNA });
    assert.deepEqual([request.actors, request.self, request.custodianAccess], [[], [], false]);
    const proxy = asked({ scopes: 'patient/*.rs', user: FATHER, patient: ANNA, actingAs: [FATHER, `proxy ${FATHER}`] });
    assert.deepEqual(proxy.request.actors, [FATHER, `proxy ${FATHER}`]);
  });

  test('people are told from staff', () => {
    const personal = [ANNA, FATHER, DOCTOR, undefined].map((user) =>
      isPersonal(contextOf({ scopes: 'system/*.rs', ...(user && { user }) }).principal),
    );
    assert.deepEqual(personal, [true, true, false, false]);
  });

  test('an institution that is gone is refused', () => {
    const context = contextOf({ scopes: 'system/*.rs', institution: 'gone' });
    const request = resolver.accessRequest(context, 'read', 'r');
    assert.throws(() => resolver.settings(context, request), { code: 'forbidden' });
  });
});

describe('what a token is limited to', () => {
  test('patient/ scopes alone: the compartment of the patient, or of nobody', () => {
    const own = asked({ scopes: 'patient/*.rs', user: DOCTOR, patient: ANNA });
    assert.deepEqual(own.request.compartment, [ANNA]);
    assert.deepEqual(own.settings.compartment, [names.idToken(ANNA)]);
    assert.equal(own.settings.institution, undefined, 'nothing of no patient');
    assert.equal(own.settings.custodian, 1);
    assert.deepEqual(asked({ scopes: 'patient/*.rs', user: DOCTOR }).request.compartment, []);
  });

  test('patient/ scopes beside others: each by itself', () => {
    const { request, settings } = asked({
      scopes: 'patient/Observation.rs user/Encounter.rs',
      user: DOCTOR,
      patient: ANNA,
    });
    assert.equal(request.compartment, undefined);
    assert.deepEqual(request.types, ['Encounter']);
    assert.deepEqual(
      request.granular.map(({ type, within }) => [type, within]),
      [['Observation', [ANNA]]],
    );
    assert.deepEqual(settings.grants, [{ type: 'Observation', within: [names.idToken(ANNA)], conditions: [] }]);
  });

  test('a token without any clinical scope: nothing', () => {
    const { request } = asked({ scopes: 'openid' });
    assert.deepEqual([request.types, request.granular, request.compartment], [[], [], undefined]);
  });

  test('broken glass: that patient, whatever else is in context', () => {
    const { request, settings } = asked({ scopes: 'user/*.rs', user: DOCTOR, patient: 'a/Patient/x', emergency: ANNA });
    assert.deepEqual([request.compartment, request.emergency], [[ANNA], true]);
    assert.deepEqual([settings.compartment, settings.emergency], [[names.idToken(ANNA)], true]);
    const plain = asked({ scopes: 'patient/*.rs', user: DOCTOR, patient: ANNA });
    assert.equal(settings.readers.length, plain.settings.readers.length + 1, 'found by the patient’s own token');
  });
});

describe('a custodian reads by default', () => {
  test('for treatment, and its records of no patient for anything', () => {
    for (const [purposes, custodian] of [
      [['TREAT'], 1],
      [['ETREAT'], 1],
      [['HRESCH', 'TREAT'], 1],
      [['HRESCH'], undefined],
      [[], undefined],
    ] as const) {
      const { settings } = asked({ scopes: 'system/*.rs', purposes });
      assert.deepEqual([settings.custodian, settings.institution], [custodian, 1], purposes.join());
    }
  });
});
