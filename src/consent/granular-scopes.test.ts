import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { record } from '../../conformance/support/consent-fixtures.ts';
import { parseScopes } from '../auth/scopes.ts';
import type { ScopeAction } from '../request-context.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import type { RecordCoding, RecordFacts } from './facts.ts';
import { grantCovers, grantTokens, granularGrants, isGranular, scopeTokens } from './granular-scopes.ts';

const PATIENT = 'hospital-a/Patient/p';
const LABORATORY = { system: 'urn:category', code: 'laboratory' };

function grantsOf(scopes: string, action: ScopeAction = 'r', limited = false) {
  return granularGrants(parseScopes(scopes), action, limited, [PATIENT]);
}

function observation(codings: Readonly<Record<string, readonly RecordCoding[]>>, more: Partial<RecordFacts> = {}) {
  return record({ codings: (parameter) => codings[parameter] ?? [], ...more });
}

describe('a granular scope', () => {
  const tokenizer = createTokenizer(Buffer.alloc(32, 1));
  const cases: readonly (readonly [why: string, scope: string, record: RecordFacts, covered: boolean])[] = [
    [
      'covers what has the code',
      'user/Observation.rs?category=urn:category|laboratory',
      observation({ category: [LABORATORY] }),
      true,
    ],
    [
      'in any system where it names none',
      'user/Observation.rs?category=laboratory',
      observation({ category: [LABORATORY] }),
      true,
    ],
    [
      'but not in another system',
      'user/Observation.rs?category=urn:other|laboratory',
      observation({ category: [LABORATORY] }),
      false,
    ],
    [
      'nor without a system where it names one',
      'user/Observation.rs?category=urn:category|laboratory',
      observation({ category: [{ system: undefined, code: 'laboratory' }] }),
      false,
    ],
    [
      'covers any of several values',
      'user/Observation.rs?category=vital-signs,laboratory',
      observation({ category: [LABORATORY] }),
      true,
    ],
    [
      'and needs every parameter',
      'user/Observation.rs?category=laboratory&_security=urn:label|R',
      observation({ category: [LABORATORY] }),
      false,
    ],
    ['not what tells nothing', 'user/Observation.rs?category=laboratory', observation({}), false],
    ['not another type', 'user/Condition.rs?category=laboratory', observation({ category: [LABORATORY] }), false],
    [
      'all types by what all have',
      'user/*.rs?_security=urn:label|R',
      observation({ _security: [{ system: 'urn:label', code: 'R' }] }),
      true,
    ],
    [
      'a value with an escaped comma',
      'user/Observation.rs?category=a%5C%2Cb',
      observation({ category: [{ system: undefined, code: 'a,b' }] }),
      true,
    ],
  ];
  for (const [why, scope, facts, covered] of cases) {
    test(`${why}: ${scope}`, () => {
      const [grant] = grantsOf(scope);
      assert.ok(grant !== undefined);
      assert.equal(grantCovers(grant, facts), covered);
      // The first lock: of each condition one token is there.
      const kept = new Set(scopeTokens(facts, tokenizer));
      const found = grantTokens(grant, tokenizer).every((tokens) => tokens.some((token) => kept.has(token)));
      assert.equal(found && (grant.type === '*' || grant.type === facts.type), covered);
    });
  }

  // Parameters of one type alone, and those that several types share.
  for (const scope of [
    'user/Observation.rs?code=urn:c|x',
    'user/Condition.rs?code=x',
    'user/Encounter.rs?class=x',
    'user/Encounter.rs?type=x',
    'user/Immunization.rs?vaccine-code=x',
    'user/Immunization.rs?_tag=x&_security=y',
    'user/*.rs?_tag=x',
  ]) {
    test(`may be restricted like this: ${scope}`, () => {
      const [parsed] = parseScopes(scope);
      assert.ok(parsed !== undefined && isGranular(parsed));
      assert.equal(grantsOf(scope).length, 1);
    });
  }

  for (const scope of [
    'user/Observation.rs?category=laboratory,|x',
    'user/Observation.rs?category=laboratory,',
    'user/Observation.rs?value-quantity=5',
    'user/Observation.rs?status=final',
    'user/Observation.rs?subject=Patient/p',
    'user/Observation.rs?category=urn:category|',
    'user/Observation.rs?category=|laboratory',
    'user/Observation.rs?category=a|b|c',
    'user/Observation.rs?category=laboratory&date=2020',
    'user/Patient.rs?category=x',
    'user/*.rs?category=laboratory',
  ]) {
    test(`that cannot be enforced grants nothing: ${scope}`, () => {
      const [parsed] = parseScopes(scope);
      assert.ok(parsed !== undefined && !isGranular(parsed));
      assert.deepEqual(grantsOf(scope), []);
    });
  }

  test('grants the letters that it has', () => {
    const letters = (scope: string) =>
      (['c', 'r', 'u', 'd', 's'] as const).filter((one) => grantsOf(scope, one).length);
    assert.deepEqual(letters('user/Observation.rs?category=x'), ['r', 's']);
    assert.deepEqual(letters('user/Observation.cud?category=x'), ['c', 'u', 'd']);
    assert.deepEqual(letters('user/Observation.s?category=x'), ['s']);
  });
});

describe('patient/ scopes beside others', () => {
  const [grant] = grantsOf('patient/Observation.r', 'r', true);
  assert.ok(grant !== undefined);

  test('cover the compartment', () => assert.equal(grantCovers(grant, record({ patients: [PATIENT] })), true));
  test('and no other patient', () => {
    assert.equal(grantCovers(grant, record({ patients: ['hospital-a/Patient/q'] })), false);
    assert.equal(grantCovers(grant, record({ patients: [] })), false);
  });
  test('and of what has no patient the directory', () => {
    const [location] = grantsOf('patient/Location.r', 'r', true);
    assert.ok(location !== undefined);
    assert.equal(grantCovers(location, record({ type: 'Location', patients: [] })), true);
  });
  test('alone are no grants of this kind', () => assert.deepEqual(grantsOf('patient/Observation.r'), []));
});
