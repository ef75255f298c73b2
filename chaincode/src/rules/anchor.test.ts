import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { append, carry, genesis, readAppendRequest, readCarryRequest, readGenesisRequest } from './anchor.ts';
import { type Caller, checkWriter } from './caller.ts';
import { canonicalJson } from './canonical.ts';
import { erase } from './erasure.ts';
import { ownInstitution, register } from './institution.ts';
import { leafHash } from './merkle.ts';
import { naiveConsistency, naiveRoot } from './merkle-naive.ts';
import { ContractRefusal, parseRefusal, type RefusalCode } from './refusal.ts';

const TIME = '2026-11-22T10:00:00.000Z';
const OWNER: Caller = { mspId: 'AMSP', role: 'anchorer', time: TIME, transactionId: 'ab'.repeat(32) };
const STRANGER: Caller = { ...OWNER, mspId: 'BMSP' };
const INSTITUTION = register(undefined, { institution: 'hospital', endorsers: ['BMSP', 'CMSP'] }, OWNER);
const MANIFEST = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const leaves = Array.from({ length: 20 }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const refusedWith = (code: RefusalCode) => (error: unknown) => error instanceof ContractRefusal && error.code === code;

function head(size: number) {
  const root = hex(naiveRoot(leaves.slice(0, size)));
  return { institution: 'hospital', log: 'records', size, root, manifest: MANIFEST } as const;
}

function appending(from: number, to: number) {
  const consistency = from <= to ? naiveConsistency(from, leaves.slice(0, to)).map(hex) : [];
  return { ...head(to), consistency };
}

describe('anchor rules', () => {
  const first = genesis(undefined, INSTITUTION, head(3), OWNER);

  it('start a log once', () => {
    assert.deepEqual(first, {
      ...head(3),
      owner: 'AMSP',
      sequence: 1,
      time: TIME,
      transactionId: OWNER.transactionId,
    });
    assert.throws(() => genesis(first, INSTITUTION, head(3), OWNER), refusedWith('anchor-exists'));
  });

  it('take a log over from another ledger, once, and extend it from there', () => {
    const predecessor = { configuration: 'aa'.repeat(32), blocks: 40, root: 'bb'.repeat(32) };
    const carried = carry(undefined, INSTITUTION, { ...head(7), predecessor }, OWNER);
    assert.deepEqual(carried, { ...genesis(undefined, INSTITUTION, head(7), OWNER), predecessor });
    for (const stored of [carried, first]) {
      assert.throws(() => carry(stored, INSTITUTION, { ...head(9), predecessor }, OWNER), refusedWith('anchor-exists'));
    }
    assert.throws(() => genesis(carried, INSTITUTION, head(9), OWNER), refusedWith('anchor-exists'));
    assert.throws(() => append(carried, { ...head(9), consistency: [] }, OWNER), refusedWith('anchor-inconsistent'));
    const next = append(carried, appending(7, 9), OWNER);
    assert.deepEqual([next.sequence, next.predecessor], [2, undefined]);
  });

  it('extend it from every size to every larger size', () => {
    for (let from = 1; from < 20; from++) {
      for (let to = from + 1; to <= 20; to++) {
        const stored = genesis(undefined, INSTITUTION, head(from), OWNER);
        const next = append(stored, appending(from, to), OWNER);
        assert.deepEqual([next.size, next.sequence, next.owner], [to, 2, 'AMSP']);
      }
    }
  });

  it('refuse what does not extend it', () => {
    const cases: [RefusalCode, () => unknown][] = [
      ['anchor-missing', () => append(undefined, appending(3, 5), OWNER)],
      ['not-owner', () => append(first, appending(3, 5), STRANGER)],
      ['anchor-same-size', () => append(first, { ...head(3), consistency: [] }, OWNER)],
      ['anchor-smaller', () => append(first, { ...head(2), consistency: [] }, OWNER)],
      ['anchor-inconsistent', () => append(first, { ...head(5), consistency: [] }, OWNER)],
      ['anchor-inconsistent', () => append(first, { ...appending(3, 5), root: head(6).root }, OWNER)],
      ['anchor-inconsistent', () => append(first, { ...appending(2, 5) }, OWNER)],
      ['anchor-inconsistent', () => append({ ...first, root: head(4).root }, appending(3, 5), OWNER)],
    ];
    for (const [code, attempt] of cases) assert.throws(attempt, refusedWith(code), code);
  });

  it('refuse an anchor over a rewritten leaf, whatever proof comes with it', () => {
    const forged = leaves.with(1, leafHash(Buffer.from('rewritten')));
    const root = hex(naiveRoot(forged.slice(0, 5)));
    const consistency = naiveConsistency(3, forged.slice(0, 5)).map(hex);
    assert.throws(() => append(first, { ...head(5), root, consistency }, OWNER), refusedWith('anchor-inconsistent'));
  });

  it('read requests exactly', () => {
    assert.deepEqual(readGenesisRequest(canonicalJson(head(3))), head(3));
    assert.deepEqual(readAppendRequest(canonicalJson(appending(3, 5))), appending(3, 5));
    const predecessor = { configuration: 'aa'.repeat(32), blocks: 40, root: 'bb'.repeat(32) };
    assert.deepEqual(readCarryRequest(canonicalJson({ ...head(3), predecessor })), { ...head(3), predecessor });
    const { root: _, ...rootless } = predecessor;
    for (const wrong of [null, rootless, [], { ...predecessor, blocks: 0 }, { ...predecessor, extra: 1 }]) {
      const argument = canonicalJson({ ...head(3), predecessor: wrong });
      assert.throws(() => readCarryRequest(argument), refusedWith('invalid-argument'));
    }
    for (const change of [
      { log: 'other' },
      { size: 0 },
      { institution: 'Hospital' },
      { manifest: 'x' },
      { extra: 1 },
    ]) {
      assert.throws(
        () => readGenesisRequest(canonicalJson({ ...head(3), ...change })),
        refusedWith('invalid-argument'),
      );
    }
  });
});

describe('institutions', () => {
  it('belong to the organisation that registered them', () => {
    assert.equal(INSTITUTION.owner, 'AMSP');
    assert.equal(ownInstitution(INSTITUTION, OWNER), INSTITUTION);
    assert.throws(() => ownInstitution(INSTITUTION, STRANGER), refusedWith('not-owner'));
    assert.throws(() => ownInstitution(undefined, OWNER), refusedWith('not-registered'));
    const takeover = { institution: 'hospital', endorsers: ['AMSP'] };
    assert.throws(() => register(INSTITUTION, takeover, STRANGER), refusedWith('not-owner'));
  });

  it('may change their endorsers, never to themselves', () => {
    const changed = register(INSTITUTION, { institution: 'hospital', endorsers: ['DMSP'] }, OWNER);
    assert.deepEqual(changed.endorsers, ['DMSP']);
    const self = { institution: 'hospital', endorsers: ['AMSP'] };
    assert.throws(() => register(INSTITUTION, self, OWNER), refusedWith('invalid-argument'));
  });
});

describe('writers', () => {
  const now = Date.parse(TIME);

  it('need the role and the right time', () => {
    checkWriter(OWNER, now);
    checkWriter(OWNER, now + 300_000);
    checkWriter(OWNER, now - 300_000);
    assert.throws(() => checkWriter(OWNER, now + 300_001), refusedWith('stale-proposal'));
    assert.throws(() => checkWriter(OWNER, now - 300_001), refusedWith('stale-proposal'));
    assert.throws(() => checkWriter({ ...OWNER, role: null }, now), refusedWith('not-permitted'));
    assert.throws(() => checkWriter({ ...OWNER, role: 'auditor' }, now), refusedWith('not-permitted'));
  });
});

describe('erasure notices', () => {
  it('are recorded once', () => {
    const request = { institution: 'hospital', notice: '01'.repeat(32), commitment: '02'.repeat(32) };
    const state = erase(undefined, INSTITUTION, request, OWNER);
    assert.deepEqual(state, { ...request, owner: 'AMSP', time: TIME, transactionId: OWNER.transactionId });
    assert.throws(() => erase(state, INSTITUTION, request, OWNER), refusedWith('erasure-exists'));
  });
});

describe('refusals', () => {
  it('are found again in what a peer makes of them', () => {
    const { message } = new ContractRefusal('anchor-smaller', 'a larger size is anchored already');
    const told = `chaincode response 500, ${message}`;
    assert.deepEqual(parseRefusal(told), { code: 'anchor-smaller', text: 'a larger size is anchored already' });
    assert.equal(parseRefusal('chaincode response 500, MEDSEAL/no-such-code: x'), undefined);
    assert.equal(parseRefusal('connection refused'), undefined);
  });
});
