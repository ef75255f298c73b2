import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeyEndorsementPolicy } from 'fabric-shim';
import { isEndorsed, majority, ownerAndAnyOther } from '../rules/endorsement.ts';
import { decodePolicy, encodePolicy } from './policy.ts';

const by = (...organisations: string[]) => new Set(organisations);

describe('endorsement rules', () => {
  it('want the owner and any one of the others', () => {
    const rule = ownerAndAnyOther('A', ['B', 'C']);
    assert.ok(isEndorsed(rule, by('A', 'B')) && isEndorsed(rule, by('A', 'C')) && isEndorsed(rule, by('A', 'B', 'C')));
    for (const signers of [by(), by('A'), by('B'), by('B', 'C'), by('A', 'D')]) assert.ok(!isEndorsed(rule, signers));
  });

  it('want more than half', () => {
    assert.ok(isEndorsed(majority(['A', 'B', 'C']), by('B', 'C')));
    assert.ok(!isEndorsed(majority(['A', 'B', 'C']), by('C')));
    assert.ok(!isEndorsed(majority(['A', 'B']), by('A')));
    assert.ok(!isEndorsed(majority(['A', 'B', 'C', 'D']), by('A', 'B')));
  });
});

describe('SignaturePolicyEnvelope', () => {
  it('carries a rule there and back, the same bytes each time', () => {
    const rule = ownerAndAnyOther('A', ['B', 'C']);
    assert.deepEqual(decodePolicy(encodePolicy(rule)), rule);
    assert.deepEqual(encodePolicy(rule), encodePolicy(ownerAndAnyOther('A', ['B', 'C'])));
  });

  it('is what fabric-shim writes, where fabric-shim can say the same', () => {
    const shim = new KeyEndorsementPolicy();
    shim.addOrgs('PEER', 'A', 'B');
    const all = { atLeast: 2, outOf: [{ signedBy: 'A' }, { signedBy: 'B' }] };
    assert.deepEqual(Buffer.from(encodePolicy(all)), Buffer.from(shim.getPolicy()));
    assert.deepEqual(decodePolicy(shim.getPolicy()), all);
  });

  it('is refused when it names nobody', () => {
    assert.throws(() => decodePolicy(new Uint8Array()), /names no organisation/);
  });
});
