import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Scope, ScopeAction } from '../request-context.ts';
import { coveredTypes, covers, coversSome } from './scope-types.ts';

function scope(type: string, actions: string, restriction: Scope['restriction'] = []): Scope {
  return { context: 'system', type, actions: new Set([...actions] as ScopeAction[]), restriction };
}

describe('the types that scopes cover', () => {
  for (const [why, scopes, action, covered] of [
    ['none without scopes', [], 'r', []],
    ['those of the action', [scope('Patient', 'r'), scope('Observation', 's')], 'r', ['Patient']],
    ['each once', [scope('Patient', 'r'), scope('Patient', 'rs')], 'r', ['Patient']],
    ['all', [scope('Patient', 'r'), scope('*', 'rs')], 's', '*'],
    ['all, but for another action', [scope('*', 'rs')], 'c', []],
    ['a granular scope covers none of its type', [scope('Patient', 'r', [['category', 'x']])], 'r', []],
    ['nor of all types', [scope('*', 'r', [['category', 'x']]), scope('Patient', 'r')], 'r', ['Patient']],
  ] as const) {
    test(why, () => assert.deepEqual(coveredTypes(scopes, action), covered));
  }

  test('are told apart from those that they cover some of', () => {
    const some = [scope('Observation', 'r', [['category', 'x']]), scope('Patient', 's'), scope('*', 'c')];
    assert.equal(coversSome(some, 'r', 'Observation'), true);
    assert.equal(coversSome(some, 's', 'Patient'), true);
    assert.equal(coversSome(some, 'c', 'Anything'), true);
    assert.equal(coversSome(some, 'r', 'Patient'), false);
    assert.equal(coversSome(some, 's', 'Observation'), false);
    assert.equal(coversSome([], 'r', 'Patient'), false);
    assert.equal(coversSome([scope('Observation', 'r', [['value-quantity', '5']])], 'r', 'Observation'), false);
  });

  test('decide on one type', () => {
    assert.equal(covers('*', 'Patient'), true);
    assert.equal(covers(['Patient'], 'Patient'), true);
    assert.equal(covers(['Patient'], 'Observation'), false);
    assert.equal(covers([], 'Patient'), false);
  });
});
