import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CUSTODIAN,
  HOSPITAL_B,
  NOW,
  OTHER_PATIENT,
  PATIENT,
  policy,
  provision,
  record,
  request,
} from '../../conformance/support/consent-fixtures.ts';
import { type AccessRequest, type Decision, decide } from './decide.ts';
import { type RecordFacts, UNKNOWN_PATIENT } from './facts.ts';
import type { ConsentPolicy, Effect, Provision } from './policy.ts';

interface Case {
  readonly why: string;
  readonly request?: Partial<AccessRequest>;
  readonly record?: Partial<RecordFacts>;
  readonly consents?: readonly ConsentPolicy[];
  /** `permit` or `deny`, and the basis: `permit self`. */
  readonly expected: `${Effect} ${Decision['basis']}`;
  /** The provision that is named. */
  readonly by?: string;
}

function check(cases: readonly Case[]): void {
  for (const { why, request: asked, record: told, consents = [], expected, by } of cases) {
    test(`${expected}: ${why}`, () => {
      const decision = decide(request(asked), record(told), consents);
      assert.equal(`${decision.permit ? 'permit' : 'deny'} ${decision.basis}`, expected);
      if (by !== undefined) assert.equal(decision.by?.provision, by);
    });
  }
}

const forB = { actors: [HOSPITAL_B] };
const base = (effect: Effect, more: Partial<ConsentPolicy> = {}) => policy({ base: effect, ...more });
const rule = (effect: Effect, more: Partial<Provision> = {}, consent: Partial<ConsentPolicy> = {}) =>
  policy({ provisions: [provision({ effect, ...forB, ...more })], ...consent });

describe('scopes come first (DESIGN 7.1)', () => {
  check([
    {
      why: 'the patient permits, but the token covers other types only',
      request: { types: ['Patient'] },
      consents: [base('permit')],
      expected: 'deny scope',
    },
    { why: 'a token without any scope', request: { types: [], self: [PATIENT] }, expected: 'deny scope' },
    {
      why: 'the directory needs a scope too',
      request: { types: ['Observation'] },
      record: { type: 'Organization', patients: [] },
      expected: 'deny scope',
    },
    {
      why: 'the type is among those covered',
      request: { types: ['Patient', 'Observation'] },
      consents: [base('permit')],
      expected: 'permit consent',
    },
  ]);
});

describe('records of no patient (DESIGN 7.2)', () => {
  const nobody = { patients: [] };
  check([
    { why: 'the directory is open to all', record: { ...nobody, type: 'Organization' }, expected: 'permit directory' },
    {
      why: 'to a patient as well',
      request: { custodianAccess: false, compartment: [PATIENT] },
      record: { ...nobody, type: 'Questionnaire' },
      expected: 'permit directory',
    },
    {
      why: 'a directory type that holds something of a patient is that patient’s',
      record: { type: 'Medication' },
      expected: 'deny default',
    },
    {
      why: 'any other type is its custodian’s',
      request: CUSTODIAN,
      record: { ...nobody, type: 'Group' },
      expected: 'permit custodian',
    },
    {
      why: 'its custodian’s whatever the purpose, since no patient’s choice is touched',
      request: { ...CUSTODIAN, purposes: [] },
      record: { ...nobody, type: 'Group' },
      expected: 'permit custodian',
    },
    { why: 'its custodian’s alone', record: { ...nobody, type: 'Group' }, expected: 'deny custodian' },
    {
      why: 'not a patient’s of that custodian',
      request: { ...CUSTODIAN, custodianAccess: false, compartment: [PATIENT] },
      record: { ...nobody, type: 'Group' },
      expected: 'deny custodian',
    },
    {
      why: 'a patient who cannot be determined leaves it to the custodian',
      request: CUSTODIAN,
      record: { patients: [UNKNOWN_PATIENT] },
      expected: 'permit custodian',
    },
    {
      why: 'who treats: an unknown patient’s denies are unknown too',
      request: { ...CUSTODIAN, purposes: ['HRESCH'] },
      record: { patients: [UNKNOWN_PATIENT] },
      expected: 'deny default',
    },
    {
      why: 'nobody consents for a patient who cannot be determined',
      record: { patients: [PATIENT, UNKNOWN_PATIENT] },
      consents: [base('permit')],
      expected: 'deny default',
    },
    {
      why: 'nor breaks the glass for one',
      request: { emergency: true, compartment: [PATIENT], purposes: ['ETREAT'] },
      record: { patients: [PATIENT, UNKNOWN_PATIENT] },
      expected: 'deny default',
    },
  ]);
});

describe('the patient (DESIGN 7.3)', () => {
  const patient = { self: [PATIENT], compartment: [PATIENT], custodianAccess: false };
  check([
    { why: 'reads their own', request: patient, expected: 'permit self' },
    { why: 'whatever they deny', request: patient, consents: [base('deny'), rule('deny')], expected: 'permit self' },
    {
      why: 'reads nobody else’s',
      request: patient,
      record: { patients: [OTHER_PATIENT] },
      expected: 'deny compartment',
    },
    {
      why: 'nor another’s who permits everyone: the token is for one compartment',
      request: patient,
      record: { patients: [OTHER_PATIENT] },
      consents: [base('permit', { patient: OTHER_PATIENT })],
      expected: 'deny compartment',
    },
    {
      why: 'a record that is also another’s is not theirs alone to see',
      request: patient,
      record: { patients: [PATIENT, OTHER_PATIENT] },
      expected: 'deny default',
    },
    {
      why: 'unless the other permits',
      request: patient,
      record: { patients: [PATIENT, OTHER_PATIENT] },
      consents: [base('permit', { patient: OTHER_PATIENT })],
      expected: 'permit consent',
    },
    {
      why: 'a representative of both sees both’s',
      request: { ...patient, self: [PATIENT, OTHER_PATIENT], compartment: [PATIENT, OTHER_PATIENT] },
      record: { patients: [PATIENT, OTHER_PATIENT] },
      expected: 'permit self',
    },
    {
      why: 'a token that is limited to nobody’s compartment sees no patient’s records',
      request: { ...patient, self: [], compartment: [] },
      consents: [base('permit')],
      expected: 'deny compartment',
    },
  ]);
});

describe('the default (DESIGN 7.4)', () => {
  check([
    { why: 'the custodian treats', request: CUSTODIAN, expected: 'permit custodian' },
    { why: 'a kind of treatment', request: { ...CUSTODIAN, purposes: ['COC'] }, expected: 'permit custodian' },
    { why: 'the custodian does research', request: { ...CUSTODIAN, purposes: ['HRESCH'] }, expected: 'deny default' },
    { why: 'a token without a purpose', request: { ...CUSTODIAN, purposes: [] }, expected: 'deny default' },
    {
      why: 'treatment in the wide sense of any purpose',
      request: { ...CUSTODIAN, purposes: ['PurposeOfUse'] },
      expected: 'deny default',
    },
    { why: 'another institution treats', expected: 'deny default' },
    {
      why: 'a patient’s client is registered with the custodian, but is not the custodian',
      request: { ...CUSTODIAN, custodianAccess: false },
      expected: 'deny default',
    },
  ]);
});

describe('every patient must permit', () => {
  const both = { patients: [PATIENT, OTHER_PATIENT] };
  const second = (effect: Effect) => base(effect, { patient: OTHER_PATIENT, consent: 'hospital-a/Consent/d' });
  check([
    { why: 'one permits, one says nothing', record: both, consents: [base('permit')], expected: 'deny default' },
    { why: 'the other one', record: both, consents: [second('permit')], expected: 'deny default' },
    { why: 'both permit', record: both, consents: [base('permit'), second('permit')], expected: 'permit consent' },
    { why: 'one denies', record: both, consents: [base('permit'), second('deny')], expected: 'deny consent', by: '' },
    {
      why: 'the custodian sees it by default for one and by consent for the other',
      request: CUSTODIAN,
      record: both,
      consents: [second('permit')],
      expected: 'permit consent',
    },
    {
      why: 'the custodian is shut out by one of the two',
      request: CUSTODIAN,
      record: both,
      consents: [
        policy({
          patient: OTHER_PATIENT,
          provisions: [provision({ effect: 'deny', classes: [{ kind: 'type', type: 'Observation' }] })],
        }),
      ],
      expected: 'deny consent',
    },
    {
      why: 'a consent of another patient is none of this one',
      consents: [second('permit')],
      expected: 'deny default',
    },
  ]);
});

describe('what is denied to a family member by name is stronger than a representation', () => {
  const father = 'hospital-a/RelatedPerson/f';
  const asFather = { actors: [father, `proxy ${father}`] };
  const represented = rule('permit', { actors: [`proxy ${father}`], represents: true });
  const denied = rule('deny', { actors: [father, HOSPITAL_B] });
  check([
    { why: 'a representative reads', request: asFather, consents: [represented], expected: 'permit representative' },
    {
      why: 'whatever is denied to others',
      request: asFather,
      consents: [represented, rule('deny', { actors: undefined, actions: ['read'] })],
      expected: 'permit representative',
    },
    {
      why: 'but not what is denied to them',
      request: asFather,
      consents: [represented, denied],
      expected: 'deny consent',
    },
    {
      why: 'nor what is excepted below that',
      request: asFather,
      consents: [
        represented,
        rule('deny', { actors: [father], nested: [provision({ effect: 'deny', actions: ['read'], path: '0.0' })] }),
      ],
      expected: 'deny consent',
      by: '0.0',
    },
  ]);
});

describe('consents from before a merge deny, and permit nothing (DESIGN 7.6)', () => {
  const suspended = { suspended: true };
  check([
    { why: 'a base permit waits', consents: [base('permit', suspended)], expected: 'deny default' },
    { why: 'so does a specific one', consents: [rule('permit', {}, suspended)], expected: 'deny default' },
    {
      why: 'a base deny stands',
      consents: [base('deny', suspended), base('permit')],
      expected: 'deny consent',
      by: '',
    },
    {
      why: 'so does a specific one',
      consents: [rule('deny', {}, suspended), rule('permit')],
      expected: 'deny consent',
    },
    {
      why: 'an exception from a deny waits too',
      consents: [rule('deny', { nested: [provision({ ...forB, path: '0.0' })] }, suspended), base('permit')],
      expected: 'deny consent',
      by: '0',
    },
    {
      why: 'one that was given since permits',
      consents: [base('permit', { suspended: false })],
      expected: 'permit consent',
    },
  ]);
});

describe('across consents: specific deny, specific permit, base deny, base permit, default', () => {
  const actors = [HOSPITAL_B, 'hospital-a/Organization/hospital-a'];
  const kinds = [
    { name: 'specific deny', consent: rule('deny', { actors }), other: false, custodian: false },
    { name: 'specific permit', consent: rule('permit', { actors }), other: true, custodian: true },
    { name: 'base deny', consent: base('deny'), other: false, custodian: true },
    { name: 'base permit', consent: base('permit'), other: true, custodian: true },
  ] as const;
  for (let chosen = 0; chosen < 16; chosen++) {
    const present = kinds.filter((_, index) => (chosen & (1 << index)) !== 0);
    const strongest = present[0] ?? { name: 'the default', other: false, custodian: true };
    test(`[${present.map(({ name }) => name).join(', ')}]: ${strongest.name} decides`, () => {
      // In whatever order they come.
      for (const consents of [present, present.toReversed()].map((list) => list.map(({ consent }) => consent))) {
        assert.equal(decide(request(), record(), consents).permit, strongest.other);
        assert.equal(decide(request(CUSTODIAN), record(), consents).permit, strongest.custodian);
      }
    });
  }
});

describe('within one consent the deepest matching provision decides', () => {
  /** A permit or deny for hospital-b at every depth, `+-+` from the root on. */
  const chain = (effects: string, path = '0'): Provision[] => {
    const [first, ...rest] = effects;
    if (first === undefined) return [];
    const nested = chain(rest.join(''), `${path}.0`);
    return [provision({ ...forB, effect: first === '+' ? 'permit' : 'deny', path, nested })];
  };
  for (const effects of ['+', '-', '+-', '-+', '+-+', '-+-', '+-+-', '-+-+', '+-+-+', '-+-+-']) {
    const permit = effects.endsWith('+');
    test(`${effects} ${permit ? 'permits' : 'denies'}, whatever the base`, () => {
      for (const whole of ['permit', 'deny', undefined] as const) {
        const decision = decide(request(), record(), [policy({ base: whole, provisions: chain(effects) })]);
        assert.equal(decision.permit, permit);
        assert.equal(decision.by?.provision, ['0', ...effects.slice(1)].fill('0', 1).join('.'));
      }
    });
  }

  const observations = { classes: [{ kind: 'type', type: 'Observation' }] } as const;
  const encounters = { classes: [{ kind: 'type', type: 'Encounter' }] } as const;
  const permitB = provision({ ...forB, path: '0.0' });
  const denyB = provision({ ...forB, effect: 'deny', path: '0.1' });
  check([
    {
      why: 'an exception that does not match leaves the rule',
      consents: [rule('permit', { nested: [provision({ effect: 'deny', ...encounters, path: '0.0' })] })],
      expected: 'permit consent',
      by: '0',
    },
    {
      why: 'an exception of a rule that does not match is not reached',
      consents: [rule('deny', { ...encounters, nested: [permitB] })],
      expected: 'deny default',
    },
    {
      why: 'one that matches at depth 3 beats two at depth 2',
      consents: [
        policy({
          provisions: [
            provision({
              nested: [
                provision({ effect: 'deny', path: '0.0' }),
                provision({ effect: 'deny', path: '0.1', nested: [provision({ ...observations, path: '0.1.0' })] }),
              ],
            }),
          ],
        }),
      ],
      expected: 'permit consent',
      by: '0.1.0',
    },
    {
      why: 'siblings that tie deny, the permit first',
      consents: [policy({ base: 'permit', provisions: [permitB, denyB] })],
      expected: 'deny consent',
      by: '0.1',
    },
    {
      why: 'siblings that tie deny, the deny first',
      consents: [policy({ base: 'permit', provisions: [denyB, permitB] })],
      expected: 'deny consent',
      by: '0.1',
    },
    {
      why: 'cousins at the same depth tie as well',
      consents: [
        policy({
          provisions: [
            provision({ nested: [provision({ ...observations, path: '0.0' })] }),
            provision({ path: '1', nested: [provision({ effect: 'deny', ...observations, path: '1.0' })] }),
          ],
        }),
      ],
      expected: 'deny consent',
      by: '1.0',
    },
    {
      why: 'siblings that agree permit',
      consents: [policy({ base: 'deny', provisions: [permitB, { ...permitB, path: '0.2' }] })],
      expected: 'permit consent',
    },
    {
      why: 'a specific deny outweighs a bare one of the same depth: it reaches the custodian too',
      request: CUSTODIAN,
      consents: [
        policy({
          provisions: [
            provision({ effect: 'deny', path: '0.0' }),
            provision({ effect: 'deny', ...observations, path: '0.1' }),
          ],
        }),
      ],
      expected: 'deny consent',
      by: '0.1',
    },
    {
      why: 'the deepest decides even where a shallower one is more specific',
      consents: [policy({ provisions: [provision({ effect: 'deny', nested: [provision({ path: '0.0' })] })] })],
      expected: 'permit consent',
      by: '0.0',
    },
    {
      why: 'a provision with a period alone is no specific deny: the custodian keeps the default',
      request: CUSTODIAN,
      consents: [
        policy({ base: 'permit', provisions: [provision({ effect: 'deny', period: { from: 0, until: NOW + 1 } })] }),
      ],
      expected: 'permit custodian',
    },
    {
      why: 'nor a specific permit: another consent’s base deny outweighs it',
      consents: [policy({ provisions: [provision({ period: { from: 0, until: NOW + 1 } })] }), base('deny')],
      expected: 'deny consent',
    },
    {
      why: 'what is nested in a specific provision is specific',
      request: CUSTODIAN,
      consents: [
        policy({ provisions: [provision({ ...observations, nested: [provision({ effect: 'deny', path: '0.0' })] })] }),
      ],
      expected: 'deny consent',
      by: '0.0',
    },
    {
      why: 'each consent decides by its own deepest provision before they are compared',
      consents: [rule('deny', { nested: [permitB] }), base('deny')],
      expected: 'permit consent',
      by: '0.0',
    },
  ]);
});

describe('what a record does not tell satisfies denies and never permits', () => {
  const code = { codes: [{ system: 'http://loinc.org', code: '718-7' }] };
  check([
    { why: 'a permit by code', consents: [rule('permit', code)], expected: 'deny default' },
    { why: 'a deny by code', consents: [base('permit'), rule('deny', code)], expected: 'deny consent' },
    {
      why: 'an exception to a permit that may not hold',
      consents: [rule('permit', { ...code, nested: [provision({ effect: 'deny', ...forB, path: '0.0' })] })],
      expected: 'deny consent',
      by: '0.0',
    },
    {
      why: 'an exception to a deny that may not hold permits nothing',
      consents: [rule('deny', { ...code, nested: [provision({ ...forB, path: '0.0' })] })],
      expected: 'deny consent',
      by: '0',
    },
  ]);
});

describe('when', () => {
  const until = (instant: number) => ({ from: 0, until: instant });
  const from = (instant: number) => ({ from: instant, until: Number.POSITIVE_INFINITY });
  check([
    { why: 'the consent has ended', consents: [base('permit', { period: until(NOW) })], expected: 'deny default' },
    {
      why: 'it ends after this instant',
      consents: [base('permit', { period: until(NOW + 1) })],
      expected: 'permit consent',
    },
    { why: 'it begins at this instant', consents: [base('permit', { period: from(NOW) })], expected: 'permit consent' },
    { why: 'it begins later', consents: [base('permit', { period: from(NOW + 1) })], expected: 'deny default' },
    { why: 'the provision has ended', consents: [rule('permit', { period: until(NOW) })], expected: 'deny default' },
    {
      why: 'the provision above it has ended',
      consents: [rule('deny', { period: until(NOW), nested: [provision({ ...forB, path: '0.0' })] })],
      expected: 'deny default',
    },
    {
      why: 'the consent around a provision has ended',
      consents: [rule('permit', {}, { period: until(NOW) })],
      expected: 'deny default',
    },
    {
      why: 'a deny that has ended denies no longer',
      consents: [base('permit'), rule('deny', { period: until(NOW) })],
      expected: 'permit consent',
    },
    {
      why: 'a consent that is not in force permits nothing',
      consents: [base('permit', { inForce: false })],
      expected: 'deny default',
    },
    {
      why: 'and denies nothing',
      consents: [base('permit'), rule('deny', {}, { inForce: false })],
      expected: 'permit consent',
    },
  ]);
});

describe('break-glass (DESIGN 7.5)', () => {
  const glass = { emergency: true, compartment: [PATIENT], purposes: ['ETREAT'] };
  const named = { purposes: ['ETREAT'] };
  check([
    { why: 'without any consent', request: glass, expected: 'permit emergency' },
    { why: 'over a base deny', request: glass, consents: [base('deny')], expected: 'permit emergency' },
    { why: 'over a specific deny', request: glass, consents: [rule('deny')], expected: 'permit emergency' },
    {
      why: 'over a deny of treatment: it covers emergencies but does not name them',
      request: glass,
      consents: [rule('deny', { purposes: ['TREAT'] })],
      expected: 'permit emergency',
    },
    {
      why: 'not over a deny that names ETREAT',
      request: glass,
      consents: [base('permit'), rule('deny', named)],
      expected: 'deny consent',
      by: '0',
    },
    {
      why: 'not over one that names it for others only',
      request: glass,
      consents: [rule('deny', { ...named, actors: ['research/Organization/research'] })],
      expected: 'permit emergency',
    },
    {
      why: 'nor over what is nested in a provision that names it',
      request: glass,
      consents: [rule('permit', { ...named, nested: [provision({ effect: 'deny', path: '0.0' })] })],
      expected: 'deny consent',
      by: '0.0',
    },
    {
      why: 'an exception nested in a deny that names it holds',
      request: glass,
      consents: [rule('deny', { ...named, nested: [provision({ ...forB, path: '0.0' })] })],
      expected: 'permit consent',
      by: '0.0',
    },
    {
      why: 'a deeper deny that does not name it hides no other that does',
      request: glass,
      consents: [
        policy({
          provisions: [
            provision({ effect: 'deny', ...named, path: '0.0' }),
            provision({ effect: 'deny', path: '0.1', nested: [provision({ effect: 'deny', ...forB, path: '0.1.0' })] }),
          ],
        }),
      ],
      expected: 'deny consent',
      by: '0.0',
    },
    {
      why: 'for this patient only',
      request: glass,
      record: { patients: [PATIENT, OTHER_PATIENT] },
      expected: 'deny default',
    },
    {
      why: 'not outside of its compartment',
      request: glass,
      record: { patients: [OTHER_PATIENT] },
      expected: 'deny compartment',
    },
    {
      why: 'not without a compartment',
      request: { ...glass, compartment: undefined },
      expected: 'deny default',
    },
    { why: 'the purpose alone breaks no glass', request: { purposes: ['ETREAT'] }, expected: 'deny default' },
  ]);
});

test('a decision names consent, version and provision', () => {
  const consent = rule('deny', { path: '0' }, { consent: 'hospital-a/Consent/x', version: 7 });
  const by = { consent: 'hospital-a/Consent/x', version: 7, provision: '0' };
  assert.deepEqual(decide(request(), record(), [base('permit'), consent]), { permit: false, basis: 'consent', by });
});
