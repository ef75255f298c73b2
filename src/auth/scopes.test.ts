import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Scope } from '../request-context.ts';
import { covers, formatScope, grantScope, intersect, parseScope, parseScopes } from './scopes.ts';

/** Text, and its v2 form; undefined when it is dropped. */
const PARSED: readonly [text: string, v2: string | undefined][] = [
  ['patient/Observation.read', 'patient/Observation.rs'],
  ['patient/Observation.write', 'patient/Observation.cud'],
  ['patient/Observation.*', 'patient/Observation.cruds'],
  ['patient/*.read', 'patient/*.rs'],
  ['user/*.write', 'user/*.cud'],
  ['system/*.*', 'system/*.cruds'],
  ['system/*.cruds', 'system/*.cruds'],
  ['system/Observation.rs', 'system/Observation.rs'],
  ['system/Observation.c', 'system/Observation.c'],
  ['system/Observation.r', 'system/Observation.r'],
  ['system/Observation.u', 'system/Observation.u'],
  ['system/Observation.d', 'system/Observation.d'],
  ['system/Observation.s', 'system/Observation.s'],
  ['user/Patient.crus', 'user/Patient.crus'],
  ['user/Consent.cds', 'user/Consent.cds'],
  ['patient/Observation.rs?category=laboratory', 'patient/Observation.rs?category=laboratory'],
  ['patient/Observation.rs?category=a&status=final', 'patient/Observation.rs?category=a&status=final'],
  ['patient/Observation.rs?category=http://x.org/c|lab', 'patient/Observation.rs?category=http://x.org/c|lab'],
  ['patient/Observation.rs?category=http%3A%2F%2Fx.org%7Clab', 'patient/Observation.rs?category=http://x.org|lab'],
  ['patient/Observation.rs?code=a%26b', 'patient/Observation.rs?code=a%26b'],
  ['patient/Observation.rs?code=a=b', 'patient/Observation.rs?code=a=b'],
  ['patient/Observation.rs?code=%E8%A1%80', 'patient/Observation.rs?code=%E8%A1%80'],
  ['patient/*.rs?_security=N', 'patient/*.rs?_security=N'],
  ['patient/Observation.rs?combo-code=1', 'patient/Observation.rs?combo-code=1'],

  ['', undefined],
  ['openid', undefined],
  ['fhirUser', undefined],
  ['launch/patient', undefined],
  ['offline_access', undefined],
  ['admin', undefined],
  ['patient/Observation', undefined],
  ['patient/Observation.', undefined],
  ['patient/.rs', undefined],
  ['/Observation.rs', undefined],
  ['patient/Observation.sr', undefined],
  ['patient/Observation.rr', undefined],
  ['patient/Observation.rx', undefined],
  ['patient/Observation.READ', undefined],
  ['patient/Observation.readwrite', undefined],
  ['patient/Observation.dc', undefined],
  ['patient/Observation.**', undefined],
  ['patient/**.rs', undefined],
  ['patient/Observation*.rs', undefined],
  ['patient/observation.rs', undefined],
  ['patient/Observations.rs', undefined],
  ['patient/Resource.rs', undefined],
  ['patient/DomainResource.rs', undefined],
  ['patient/constructor.rs', undefined],
  ['patient/Observation.constructor', undefined],
  ['PATIENT/Observation.rs', undefined],
  ['practitioner/Observation.rs', undefined],
  ['patient//Observation.rs', undefined],
  [' patient/Observation.rs', undefined],
  ['patient/Observation.rs ', undefined],
  ['patient/Observation.rs\n', undefined],
  ['patient/Observation.read?category=a', undefined],
  ['patient/Observation.*?category=a', undefined],
  ['patient/Observation.rs?', undefined],
  ['patient/Observation.rs?category', undefined],
  ['patient/Observation.rs?category=', undefined],
  ['patient/Observation.rs?=a', undefined],
  ['patient/Observation.rs?category=a&', undefined],
  ['patient/Observation.rs?category=a&&status=b', undefined],
  ['patient/Observation.rs?category=%', undefined],
  ['patient/Observation.rs?category=%FF', undefined],
  ['patient/Observation.rs?category=\ud800', undefined],
  ['patient/Observation.rs?category:in=a', undefined],
  ['patient/Observation.rs?subject.name=a', undefined],
  ['patient/Observation.rs?_has:Group:member:_id=1', undefined],
  ['patient/Observation.?category=a', undefined],
  [`patient/Observation.rs?category=${'a'.repeat(1000)}`, undefined],
  [`patient/Observation.rs?category=${'a'.repeat(969)}`, undefined],
  [`patient/Observation.rs?category=${'a'.repeat(968)}`, `patient/Observation.rs?category=${'a'.repeat(968)}`],
  ['patient/Observation.rs?a=b', 'patient/Observation.rs?a=b'],
];

/** Requested, registered, granted. */
const GRANTED: readonly [requested: string, registered: string, granted: string][] = [
  ['system/Observation.rs', 'system/Observation.rs', 'system/Observation.rs'],
  ['system/Observation.rs', 'system/*.cruds', 'system/Observation.rs'],
  ['system/*.rs', 'system/*.cruds', 'system/*.rs'],
  ['system/*.cruds', 'system/*.rs', 'system/*.rs'],
  ['system/*.rs', 'system/Observation.rs', 'system/Observation.rs'],
  ['system/*.cruds', 'system/Observation.rs system/Patient.r', 'system/Observation.rs system/Patient.r'],
  ['system/*.cruds', 'system/*.rs system/Observation.cruds', 'system/*.rs system/Observation.cruds'],
  ['system/Observation.cruds', 'system/*.rs system/Observation.cruds', 'system/Observation.cruds'],
  ['system/Observation.rs', 'system/Observation.r', 'system/Observation.r'],
  ['system/Observation.rs', 'system/Observation.cud', ''],
  ['system/Observation.rs', 'system/Patient.rs', ''],
  ['system/Observation.rs', 'user/Observation.rs', ''],
  ['system/Observation.rs', 'patient/*.rs', ''],
  ['system/Observation.rs', '', ''],
  ['', 'system/*.cruds', ''],
  ['nonsense', 'system/*.cruds', ''],
  ['system/Foo.rs', 'system/*.cruds', ''],
  ['nonsense system/Observation.r', 'system/*.cruds', 'system/Observation.r'],
  ['openid system/Observation.r launch', 'system/*.cruds', 'system/Observation.r'],
  ['system/Observation.read', 'system/*.cruds', 'system/Observation.read'],
  ['system/Observation.read', 'system/*.read', 'system/Observation.read'],
  ['system/Observation.rs', 'system/*.read', 'system/Observation.rs'],
  ['system/Observation.*', 'system/*.cruds', 'system/Observation.*'],
  ['system/Observation.*', 'system/*.read', 'system/Observation.rs'],
  ['system/*.read', 'system/*.cruds', 'system/*.read'],
  ['system/*.read', 'system/Observation.rs', 'system/Observation.rs'],
  ['system/Observation.read system/Observation.rs', 'system/*.cruds', 'system/Observation.read'],
  ['system/Observation.r system/Observation.rs', 'system/*.cruds', 'system/Observation.rs'],
  ['system/Observation.rs system/Observation.rs', 'system/*.cruds', 'system/Observation.rs'],
  ['system/*.rs system/Observation.r', 'system/*.cruds', 'system/*.rs'],
  ['system/Observation.rs?category=a', 'system/Observation.rs', 'system/Observation.rs?category=a'],
  ['system/Observation.rs', 'system/Observation.rs?category=a', 'system/Observation.rs?category=a'],
  ['system/*.rs', 'system/Observation.rs?category=a', 'system/Observation.rs?category=a'],
  ['system/Observation.read', 'system/Observation.rs?category=a', 'system/Observation.rs?category=a'],
  ['system/Observation.rs?category=a', 'system/Observation.rs?category=a', 'system/Observation.rs?category=a'],
  ['system/Observation.rs?category=a', 'system/*.rs?_security=N', 'system/Observation.rs?category=a&_security=N'],
  ['system/Observation.rs?category=a', 'system/Observation.r?category=b', 'system/Observation.r?category=a&category=b'],
  ['system/Observation.rs system/Observation.rs?category=a', 'system/*.rs', 'system/Observation.rs'],
  [
    'system/Observation.rs?category=a system/Observation.rs?category=b',
    'system/*.rs',
    'system/Observation.rs?category=a system/Observation.rs?category=b',
  ],
  ['system/Observation.rs?category=', 'system/*.rs', ''],
  ['system/Observation.rs?category:in=a', 'system/*.rs', ''],
];

const COVERED: readonly [scopes: string, type: string, action: 'c' | 'r' | 'u' | 'd' | 's', covered: boolean][] = [
  ['system/Observation.rs', 'Observation', 'r', true],
  ['system/Observation.rs', 'Observation', 's', true],
  ['system/Observation.rs', 'Observation', 'c', false],
  ['system/Observation.rs', 'Patient', 'r', false],
  ['system/Observation.r', 'Observation', 's', false],
  ['system/*.r', 'Patient', 'r', true],
  ['system/*.r', 'Patient', 'u', false],
  ['system/Observation.write', 'Observation', 'd', true],
  ['system/Observation.write', 'Observation', 's', false],
  ['system/Observation.r system/Patient.u', 'Patient', 'u', true],
  ['system/Observation.r system/Patient.u', 'Observation', 'u', false],
  ['patient/Observation.rs?category=a', 'Observation', 'r', true],
  ['admin', 'Observation', 'r', false],
  ['', 'Observation', 'r', false],
];

describe('scopes', () => {
  for (const [text, v2] of PARSED) {
    test(`parse ${JSON.stringify(text.slice(0, 60))}`, () => {
      const scope = parseScope(text);
      assert.equal(scope === undefined ? undefined : formatScope(scope), v2);
    });
  }
  for (const [requested, registered, granted] of GRANTED) {
    test(`grant "${requested}" of "${registered}"`, () => {
      assert.equal(grantScope(requested, parseScopes(registered)), granted);
    });
  }
  for (const [scopes, type, action, covered] of COVERED) {
    test(`"${scopes}" ${covered ? 'covers' : 'does not cover'} ${action} of ${type}`, () => {
      assert.equal(covers(parseScopes(scopes), type, action), covered);
    });
  }

  test('a v1 scope and its v2 form are the same scope', () => {
    assert.deepEqual(parseScope('user/Patient.read'), {
      context: 'user',
      type: 'Patient',
      actions: new Set(['r', 's']),
      restriction: [],
    });
    assert.deepEqual(parseScope('user/Patient.read'), parseScope('user/Patient.rs'));
  });
});

describe('scopes: whatever is requested', () => {
  const scope: fc.Arbitrary<Scope> = fc.record(
    {
      context: fc.constantFrom('patient', 'user', 'system'),
      type: fc.constantFrom('*', 'Observation', 'Patient'),
      actions: fc.subarray(['c', 'r', 'u', 'd', 's'] as const, { minLength: 1 }).map((actions) => new Set(actions)),
      restriction: fc.array(
        fc.tuple(fc.constantFrom('category', 'status'), fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' })),
        { maxLength: 2 },
      ),
    },
    { noNullPrototype: true },
  );
  const scopes = fc.array(scope, { maxLength: 4 });

  test('what is written is read back', () => {
    fc.assert(fc.property(scope, (given) => assert.deepEqual(parseScope(formatScope(given)), given)));
  });

  test('nothing is granted that was not both requested and registered', () => {
    fc.assert(
      fc.property(scopes, scopes, (requested, registered) => {
        const granted = intersect(requested, registered);
        for (const type of ['Observation', 'Patient', 'Encounter']) {
          for (const action of ['c', 'r', 'u', 'd', 's'] as const) {
            for (const context of ['patient', 'user', 'system']) {
              const within = (list: readonly Scope[]) => list.filter((one) => one.context === context);
              const both = covers(within(requested), type, action) && covers(within(registered), type, action);
              assert.equal(covers(within(granted), type, action), both);
            }
          }
        }
      }),
    );
  });

  test('granting again changes nothing, and no order of registration grants more', () => {
    fc.assert(
      fc.property(scopes, scopes, (requested, registered) => {
        const granted = intersect(requested, registered);
        assert.deepEqual(intersect(granted, granted).map(formatScope), granted.map(formatScope));
        const reversed = intersect(requested, registered.toReversed()).map(formatScope);
        assert.equal(reversed.length, granted.length);
      }),
    );
  });
});
