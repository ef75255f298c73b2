import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, test } from 'node:test';
import { MedSealError } from '../errors.ts';
import type { Principal } from '../request-context.ts';
import { challenge, createAuthenticator, type TokenVerifier } from './authenticate.ts';
import type { Change, ChangeFeed } from './changes.ts';

const principal: Principal = {
  clientId: 'c',
  institution: 'st-mary',
  scopes: [],
  purposes: ['TREAT'],
  administrator: false,
};
const is = (code: string) => (error: unknown) => error instanceof MedSealError && error.code === code;

/** An authenticator over tokens that are all good until `expiresAt`, a clock to turn, and a count of verifications. */
function setUp(verify?: TokenVerifier['verify']) {
  const state = { now: 1_000_000, expiresAt: 1_300_000, verified: 0 };
  const listeners: ((change: Change) => void)[] = [];
  const changes: ChangeFeed = {
    subscribe: (listener) => void listeners.push(listener),
    announce: (change) => {
      for (const listener of listeners) listener(change);
    },
    close: async () => undefined,
  };
  const tokens: TokenVerifier = {
    verify: async (token, digest) => {
      state.verified += 1;
      if (verify !== undefined) return verify(token, digest);
      assert.deepEqual(digest, hash('sha256', token, 'buffer'));
      return token.startsWith('good') ? { principal, expiresAt: state.expiresAt } : undefined;
    },
  };
  const { authenticate } = createAuthenticator({ tokens, changes, clock: () => state.now });
  return { state, changes, authenticate };
}

describe('authentication', () => {
  for (const header of [undefined, '', 'Basic YTpi', 'Bearerx good', 'good', 'DPoP good']) {
    test(`${JSON.stringify(header)} asks for a login`, async () => {
      await assert.rejects(setUp().authenticate(header), is('login-required'));
    });
  }
  for (const header of [
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer "good"',
    'Bearer good,x',
    'Bearer 好',
    `Bearer ${'a'.repeat(16_378)}`,
  ]) {
    test(`${header.slice(0, 20)} is no token`, async () => {
      const { state, authenticate } = setUp();
      await assert.rejects(authenticate(header), is('token-invalid'));
      assert.equal(state.verified, 0);
    });
  }
  const longest = `Bearer good${'a'.repeat(16_373)}`;
  for (const header of [
    'Bearer good',
    'bearer good',
    'BEARER  good',
    'Bearer good ',
    'Bearer good-._~+/9==',
    longest,
  ]) {
    test(`"${header.slice(0, 20)}" is a token`, async () =>
      assert.equal(await setUp().authenticate(header), principal));
  }

  test('a token that does not verify is refused each time', async () => {
    const { state, authenticate } = setUp();
    for (const _ of '12') await assert.rejects(authenticate('Bearer bad'), is('token-invalid'));
    assert.equal(state.verified, 2);
  });

  test('a good one is verified once in five seconds', async () => {
    const { state, authenticate } = setUp();
    for (const now of [1_000_000, 1_000_001, 1_004_999]) {
      state.now = now;
      await authenticate('Bearer good');
    }
    assert.equal(state.verified, 1);
    state.now = 1_005_000;
    await authenticate('Bearer good');
    assert.equal(state.verified, 2);
  });

  test('none outlives its expiry in the cache', async () => {
    const { state, authenticate } = setUp();
    state.expiresAt = state.now + 1000;
    await authenticate('Bearer good');
    state.now = state.expiresAt;
    await assert.rejects(authenticate('Bearer good'), is('token-invalid'));
  });

  test('a revocation forgets that token, another change all of them', async () => {
    const { state, changes, authenticate } = setUp();
    const verify = async () => {
      await authenticate('Bearer good1');
      await authenticate('Bearer good2');
      return state.verified;
    };
    assert.equal(await verify(), 2);
    changes.announce({ kind: 'token', digest: hash('sha256', 'good1', 'hex') });
    assert.equal(await verify(), 3);
    changes.announce({ kind: 'client', id: 'c' });
    assert.equal(await verify(), 5);
    changes.announce({ kind: 'anything' });
    assert.equal(await verify(), 7);
  });

  test('a verification that a revocation overtook is not kept', async () => {
    let release: () => void = () => undefined;
    const overtaken = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { state, changes, authenticate } = setUp(async () => {
      await overtaken;
      return { principal, expiresAt: 2_000_000 };
    });
    const first = authenticate('Bearer good');
    changes.announce({ kind: 'token', digest: hash('sha256', 'good', 'hex') });
    release();
    await first;
    await authenticate('Bearer good');
    assert.equal(state.verified, 2);
  });

  test('trouble is not taken for a bad token', async () => {
    const { authenticate } = setUp(async () => {
      throw new MedSealError('storage-unavailable', 'away');
    });
    await assert.rejects(authenticate('Bearer good'), is('storage-unavailable'));
  });

  test('the challenge says what is missing, as RFC 6750 has it', async () => {
    assert.equal(challenge(new MedSealError('login-required', 'x')), 'Bearer realm="medseal"');
    assert.equal(
      challenge(new MedSealError('token-invalid', 'It is not valid.')),
      'Bearer realm="medseal", error="invalid_token", error_description="It is not valid."',
    );
    assert.equal(challenge(new MedSealError('forbidden', 'x')), 'Bearer realm="medseal", error="insufficient_scope"');
    assert.equal(
      challenge(new MedSealError('forbidden', 'x'), 'system/Patient.r'),
      'Bearer realm="medseal", error="insufficient_scope", scope="system/Patient.r"',
    );
    assert.equal(challenge(new MedSealError('not-found', 'x')), undefined);
  });
});
