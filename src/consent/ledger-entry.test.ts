import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
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
