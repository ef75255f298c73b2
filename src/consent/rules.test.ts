import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOSPITAL_B, policy, provision } from '../../conformance/support/consent-fixtures.ts';
import { ALWAYS } from './policy.ts';
import { consentRules } from './rules.ts';

const type = (name: string) => ({ classes: [{ kind: 'type', type: name }] }) as const;

describe('the rows of a consent', () => {
  test('are none when it is not in force', () =>
    assert.deepEqual(consentRules(policy({ base: 'permit', inForce: false })), []));

  for (const [effect, rank] of [
    ['permit', 4],
    ['deny', 3],
  ] as const) {
    test(`of a base ${effect} are one without conditions, for everyone`, () =>
      assert.deepEqual(consentRules(policy({ base: effect })), [
        {
          provision: '',
          depth: 0,
          permit: effect === 'permit',
          rank,
          period: ALWAYS,
          namesEmergency: false,
          conditions: [],
          readers: { actors: undefined, purposes: undefined },
        },
      ]));
  }

  test('fold into each provision what its ancestors ask, by its own effect', () => {
    const nested = provision({ effect: 'deny', actors: [HOSPITAL_B], path: '0.0' });
    const rules = consentRules(policy({ provisions: [provision({ ...type('Observation'), nested: [nested] })] }));
    assert.deepEqual(
      rules.map(({ provision: path, depth, permit, rank, conditions }) => ({ path, depth, permit, rank, conditions })),
      [
        { path: '0', depth: 1, permit: true, rank: 2, conditions: [['is type Observation']] },
        {
          path: '0.0',
          depth: 2,
          permit: false,
          rank: 1,
          conditions: [['is type Observation', 'may type Observation', 'open type'], [`actor ${HOSPITAL_B}`]],
        },
      ],
    );
  });

  test('are not specific by a period, and are by an ancestor’s attribute', () => {
    const bare = provision({ period: { from: 0, until: 10 }, path: '0.0' });
    const ranks = (root: ReturnType<typeof provision>) =>
      consentRules(policy({ provisions: [root] })).map(({ rank }) => rank);
    assert.deepEqual(ranks(provision({ nested: [bare, { ...bare, effect: 'deny' }] })), [4, 4, 3]);
    const father = { actors: ['hospital-a/RelatedPerson/f'] };
    assert.deepEqual(ranks(provision({ ...father, nested: [bare, { ...bare, effect: 'deny' }] })), [2, 2, -1]);
    const proxy = { actors: ['proxy hospital-a/RelatedPerson/f'], represents: true };
    assert.deepEqual(ranks(provision({ ...proxy, nested: [bare, { ...bare, effect: 'deny' }] })), [0, 0, 1]);
    assert.deepEqual(ranks(provision({ ...type('Patient'), nested: [bare, { ...bare, effect: 'deny' }] })), [2, 2, 1]);
  });

  test('hold while consent, ancestors and provision all do', () => {
    const nested = provision({ period: { from: 20, until: 50 }, path: '0.0' });
    const root = provision({ period: { from: 10, until: 40 }, nested: [nested] });
    const rules = consentRules(policy({ base: 'deny', period: { from: 0, until: 30 }, provisions: [root] }));
    assert.deepEqual(
      rules.map(({ period }) => period),
      [
        { from: 0, until: 30 },
        { from: 10, until: 30 },
        { from: 20, until: 30 },
      ],
    );
  });

  test('that never hold are left out', () => {
    const never = provision({ period: { from: 40, until: 50 } });
    assert.deepEqual(consentRules(policy({ period: { from: 0, until: 40 }, provisions: [never] })), []);
  });

  test('name ETREAT when a provision on the way does, not by what covers it', () => {
    const nested = provision({ effect: 'deny', path: '0.0' });
    const names = (purpose: string) =>
      consentRules(policy({ provisions: [provision({ purposes: [purpose], nested: [nested] })] })).map(
        ({ namesEmergency }) => namesEmergency,
      );
    assert.deepEqual(names('ETREAT'), [true, true]);
    assert.deepEqual(names('TREAT'), [false, false]);
    assert.deepEqual(names('BTG'), [false, false]);
  });

  test('tell by the nearest list whom they may permit, for what', () => {
    const deepest = provision({ ...type('Patient'), path: '0.0.0' });
    const middle = provision({ actors: ['x/Organization/x'], nested: [deepest], path: '0.0' });
    const root = provision({ actors: [HOSPITAL_B], purposes: ['TREAT'], nested: [middle] });
    assert.deepEqual(
      consentRules(policy({ provisions: [root] })).map(({ readers }) => readers),
      [
        { actors: [HOSPITAL_B], purposes: ['TREAT'] },
        { actors: ['x/Organization/x'], purposes: ['TREAT'] },
        { actors: ['x/Organization/x'], purposes: ['TREAT'] },
      ],
    );
  });
});
