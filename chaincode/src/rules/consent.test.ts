import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Caller } from './caller.ts';
import { canonicalJson } from './canonical.ts';
import {
  CONSENT_STATUSES,
  type ConsentRequest,
  changeConsent,
  grantConsent,
  permitsRelease,
  readConsentRequest,
} from './consent.ts';
import { ContractRefusal, type RefusalCode } from './refusal.ts';
import { NO_RELEASE, type Release, type ReleaseRequest, release, releaseHash } from './release.ts';

const OWNER: Caller = {
  mspId: 'AMSP',
  role: 'anchorer',
  time: '2026-11-22T10:00:00.000Z',
  transactionId: 'ab'.repeat(32),
};
const OWN = { institution: 'hospital', owner: 'AMSP', endorsers: ['BMSP'], time: OWNER.time };
const GRANTEE = '0b'.repeat(32);
const REQUEST: ConsentRequest = {
  institution: 'hospital',
  consent: '0a'.repeat(32),
  commitment: '0c'.repeat(32),
  grantees: [GRANTEE],
  status: 'active',
  version: 1,
  start: '2026-11-01T00:00:00.000Z',
  end: '2026-12-01T00:00:00.000Z',
};
const granted = grantConsent(OWN, REQUEST, OWNER);

const refusedWith = (code: RefusalCode) => (error: unknown) => error instanceof ContractRefusal && error.code === code;

describe('consent rules', () => {
  it('begin a consent active, with an end after its start', () => {
    assert.equal(granted.owner, 'AMSP');
    for (const status of ['withdrawn', 'superseded'] as const) {
      assert.throws(() => grantConsent(OWN, { ...REQUEST, status }, OWNER), refusedWith('consent-missing'));
    }
    const reversed = { ...REQUEST, end: REQUEST.start };
    assert.throws(() => grantConsent(OWN, reversed, OWNER), refusedWith('invalid-argument'));
    assert.equal(grantConsent(OWN, { ...REQUEST, end: null }, OWNER).end, null);
  });

  it('never let an ended consent come back, nor a version go back', () => {
    const step = fc.record({
      status: fc.constantFrom(...CONSENT_STATUSES),
      version: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let state = granted;
        for (const { status, version } of steps) {
          const change = () => changeConsent(state, { ...REQUEST, status, version }, OWNER);
          if (state.status !== 'active') assert.throws(change, refusedWith('consent-ended'));
          else if (version <= state.version) assert.throws(change, refusedWith('consent-version'));
          else state = change();
        }
      }),
    );
  });

  it('let the owner alone change it, for the same institution', () => {
    const next = { ...REQUEST, version: 2 };
    assert.throws(() => changeConsent(granted, next, { ...OWNER, mspId: 'BMSP' }), refusedWith('not-owner'));
    assert.throws(() => changeConsent(granted, { ...next, institution: 'other' }, OWNER), refusedWith('not-owner'));
  });

  it('read requests exactly', () => {
    assert.deepEqual(readConsentRequest(canonicalJson({ ...REQUEST })), REQUEST);
    for (const change of [{ consent: 'patient-1' }, { grantees: [] }, { status: 'entered-in-error' }, { version: 0 }]) {
      assert.throws(
        () => readConsentRequest(canonicalJson({ ...REQUEST, ...change })),
        refusedWith('invalid-argument'),
      );
    }
  });

  it('permit releases to the grantees between start (inclusive) and end (exclusive) while active', () => {
    const at = (time: string) => permitsRelease(granted, GRANTEE, time);
    assert.ok(at('2026-11-01T00:00:00.000Z') && at('2026-11-30T23:59:59.999Z'));
    assert.ok(!at('2026-10-31T23:59:59.999Z') && !at('2026-12-01T00:00:00.000Z'));
    assert.ok(permitsRelease({ ...granted, end: null }, GRANTEE, '2099-01-01T00:00:00.000Z'));
    assert.ok(!permitsRelease(granted, '0d'.repeat(32), OWNER.time));
    assert.ok(!permitsRelease({ ...granted, status: 'withdrawn' }, GRANTEE, OWNER.time));
    assert.ok(!permitsRelease({ ...granted, status: 'superseded' }, GRANTEE, OWNER.time));
  });
});

describe('release rules', () => {
  const none = { same: undefined, previous: undefined };
  const request: ReleaseRequest = {
    consent: REQUEST.consent,
    grantee: GRANTEE,
    sequence: 1,
    previous: NO_RELEASE,
    manifest: 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
  };
  const first = release(granted, none, request, OWNER);

  it('chain the releases of a consent to a grantee', () => {
    const chain: Release[] = [first];
    for (let sequence = 2; sequence <= 5; sequence++) {
      const previous = chain.at(-1);
      const next = { ...request, sequence, previous: previous === undefined ? NO_RELEASE : releaseHash(previous) };
      chain.push(release(granted, { same: undefined, previous }, next, OWNER));
    }
    assert.deepEqual(
      chain.map(({ sequence, consentVersion }) => [sequence, consentVersion]),
      [1, 2, 3, 4, 5].map((sequence) => [sequence, 1]),
    );
  });

  it('refuse what no consent permits, and every break of the chain', () => {
    const second = { ...request, sequence: 2, previous: releaseHash(first) };
    const after = { same: undefined, previous: first };
    const cases: [RefusalCode, () => unknown][] = [
      ['release-not-consented', () => release(undefined, none, request, OWNER)],
      ['release-not-consented', () => release({ ...granted, status: 'withdrawn' }, none, request, OWNER)],
      ['release-not-consented', () => release(granted, none, { ...request, grantee: '0d'.repeat(32) }, OWNER)],
      ['release-not-consented', () => release(granted, none, request, { ...OWNER, time: '2026-12-01T00:00:00.000Z' })],
      ['not-owner', () => release(granted, none, request, { ...OWNER, mspId: 'BMSP' })],
      ['release-sequence', () => release(granted, { same: first, previous: undefined }, request, OWNER)],
      ['release-sequence', () => release(granted, none, second, OWNER)],
      ['release-chain', () => release(granted, none, { ...request, previous: '01'.repeat(32) }, OWNER)],
      ['release-chain', () => release(granted, after, { ...second, previous: NO_RELEASE }, OWNER)],
    ];
    for (const [code, attempt] of cases) assert.throws(attempt, refusedWith(code), code);
    assert.equal(release(granted, after, second, OWNER).sequence, 2);
  });
});
