import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { provision } from '../../conformance/support/consent-fixtures.ts';
import { ledgerEntryOf } from './ledger-entry.ts';
import type { ConsentPolicy } from './policy.ts';

const key = createSecretKey(Buffer.alloc(32, 1));
const policy: ConsentPolicy = {
  consent: 'hospital-a/Consent/c',
  version: 1,
  patient: 'hospital-a/Patient/p',
  inForce: true,
  base: undefined,
  period: { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY },
  provisions: [],
};

test('a period is told in years that the ledger and the database can hold', () => {
  const until = (end: number) => ledgerEntryOf({ ...policy, period: { from: 0, until: end } }, key).until;
  assert.equal(until(Date.UTC(2030, 0, 1)), '2030-01-01T00:00:00.000Z');
  assert.equal(until(Date.UTC(10_000, 0, 1)), undefined);
  assert.equal(until(Number.POSITIVE_INFINITY), undefined);
  assert.equal(ledgerEntryOf(policy, key).from, undefined);
});

test('it is in force as long as the consent is', () => {
  const active = (more: Partial<ConsentPolicy>) => ledgerEntryOf({ ...policy, ...more }, key).active;
  assert.equal(active({}), true);
  assert.equal(active({ period: { from: 0, until: 1 } }), true);
  assert.equal(active({ inForce: false }), false);
});

test('whom it permits is told by keyed digests alone: everyone, nobody, or each who is named', () => {
  const grantees = (more: Partial<ConsentPolicy>) => ledgerEntryOf({ ...policy, ...more }, key).grantees;
  const permit = (...actors: readonly string[]) => provision({ actors });
  const [everyone] = grantees({ base: 'permit' });
  const [nobody] = grantees({});
  assert.notEqual(everyone, nobody);
  assert.match(everyone ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(grantees({ base: 'deny' }), [nobody]);
  assert.deepEqual(grantees({ provisions: [provision()] }), [everyone]);
  assert.deepEqual(grantees({ base: 'permit', provisions: [provision()] }), [everyone]);
  assert.deepEqual(grantees({ provisions: [provision({ effect: 'deny', actors: ['a/Organization/a'] })] }), [nobody]);
  const [one] = grantees({ provisions: [permit('a/Organization/a')] });
  assert.ok(one !== undefined && one !== everyone && one !== nobody);
  const nested = provision({ effect: 'deny', nested: [permit('a/Organization/a'), permit('b/Organization/b')] });
  const both = grantees({ provisions: [nested] });
  assert.equal(both.length, 2);
  assert.ok(both.includes(one));
  assert.deepEqual(both, both.toSorted(), 'in an order that tells nothing');
  assert.notDeepEqual(ledgerEntryOf(policy, createSecretKey(Buffer.alloc(32, 2))).grantees, [nobody]);
  const many = Array.from({ length: 300 }, (_, index) => `a/Organization/${index}`);
  assert.equal(grantees({ provisions: [permit(...many)] }).length, 256, 'as many as the contract takes');
});

test('its key is of the consent and its version', () => {
  const keys = [policy, { ...policy, version: 2 }, { ...policy, consent: 'hospital-a/Consent/d' }].map(
    (one) => ledgerEntryOf(one, key).freshKey,
  );
  assert.equal(new Set(keys).size, 3);
});
