import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { MedSealError } from '../errors.ts';
import { readClientKeys } from './client-keys.ts';

describe('registered keys', () => {
  let rsa: JWK;
  let ec: JWK;
  before(async () => {
    rsa = { ...(await exportJWK((await generateKeyPair('RS384', { extractable: true })).privateKey)), kid: 'rsa' };
    ec = { ...(await exportJWK((await generateKeyPair('ES384', { extractable: true })).privateKey)), kid: 'ec' };
  });
  const publicOf = ({ kty, kid, n, e, crv, x, y }: JWK): JWK =>
    JSON.parse(JSON.stringify({ kty, kid, n, e, crv, x, y }));

  test('are kept without what verification does not need', async () => {
    const { keys } = await readClientKeys({ keys: [{ ...publicOf(rsa), x5c: ['AAAA'], note: 'mine' }, publicOf(ec)] });
    assert.deepEqual(keys, [
      { kty: 'RSA', kid: 'rsa', alg: 'RS384', use: 'sig', n: rsa.n, e: rsa.e },
      { kty: 'EC', kid: 'ec', alg: 'ES384', use: 'sig', crv: 'P-384', x: ec.x, y: ec.y },
    ]);
  });

  const rsaOf = (modulusLength: number, publicExponent = 0x10001) => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent });
    return {
      ...createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' }),
      kid: 'k',
    };
  };
  test('may be as many, and as large, as is usual at most', async () => {
    const many = Array.from({ length: 20 }, (_, i) => ({ ...publicOf(ec), kid: `${i}`.padStart(200, 'k') }));
    assert.equal((await readClientKeys({ keys: many })).keys.length, 20);
    const modulus = Buffer.alloc(1024, 255).toString('base64url');
    for (const key of [
      { ...publicOf(rsa), n: modulus },
      { ...publicOf(rsa), e: 'Aw' },
      { ...publicOf(rsa), e: 'AQAAAAE' },
      { ...publicOf(rsa), key_ops: ['verify'] },
    ]) {
      assert.equal((await readClientKeys({ keys: [key] })).keys.length, 1);
    }
  });

  const refused: readonly [what: string, jwks: () => unknown, why: RegExp][] = [
    ['nothing', () => undefined, /list "keys"/],
    ['a list', () => [ec], /list "keys"/],
    ['text', () => JSON.stringify({ keys: [publicOf(ec)] }), /list "keys"/],
    ['no keys', () => ({ keys: [] }), /list "keys"/],
    [
      'too many keys',
      () => ({ keys: Array.from({ length: 21 }, (_, i) => ({ ...publicOf(ec), kid: `${i}` })) }),
      /1 to 20/,
    ],
    ['null', () => ({ keys: [null] }), /keys\[0\]: it must be an object/],
    ['a private RSA key', () => ({ keys: [rsa] }), /keys\[0\]: it has private/],
    ['a private EC key', () => ({ keys: [publicOf(rsa), ec] }), /keys\[1\]: it has private/],
    ['a stray private member', () => ({ keys: [{ ...publicOf(rsa), dq: '' }] }), /private/],
    ['a symmetric key', () => ({ keys: [{ kty: 'oct', kid: 'k', k: 'AAAA' }] }), /symmetric/],
    ['no kid', () => ({ keys: [{ ...publicOf(ec), kid: undefined }] }), /kid/],
    ['a kid that is long', () => ({ keys: [{ ...publicOf(ec), kid: 'k'.repeat(201) }] }), /kid/],
    [
      'an RSA key of a bit too much',
      () => ({ keys: [{ ...publicOf(rsa), n: over(1024) }] }),
      /at most 8192 bits, not 8193/,
    ],
    ['an exponent of a bit too much', () => ({ keys: [{ ...publicOf(rsa), e: 'AwAAAAE' }] }), /e must/],
    ['operations that are no list', () => ({ keys: [{ ...publicOf(ec), key_ops: 'verify' }] }), /key_ops/],
    ['an empty kid', () => ({ keys: [{ ...publicOf(ec), kid: '' }] }), /kid/],
    ['one kid twice', () => ({ keys: [publicOf(ec), { ...publicOf(rsa), kid: 'ec' }] }), /same kid/],
    ['a key for encryption', () => ({ keys: [{ ...publicOf(ec), use: 'enc' }] }), /use/],
    ['a key that may not verify', () => ({ keys: [{ ...publicOf(ec), key_ops: ['sign'] }] }), /key_ops/],
    ['another algorithm', () => ({ keys: [{ ...publicOf(rsa), alg: 'RS256' }] }), /alg must be RS384/],
    ['an algorithm of another type', () => ({ keys: [{ ...publicOf(ec), alg: 'RS384' }] }), /alg must be ES384/],
    ['HMAC', () => ({ keys: [{ ...publicOf(rsa), alg: 'HS384' }] }), /alg must be RS384/],
    ['a short RSA key', () => ({ keys: [rsaOf(1024)] }), /at least 2048 bits, not 1024/],
    ['a padded short RSA key', () => ({ keys: [padded(rsaOf(1024))] }), /at least 2048 bits, not 1024/],
    [
      'an enormous RSA key',
      () => ({ keys: [{ ...publicOf(rsa), n: Buffer.alloc(2000, 255).toString('base64url') }] }),
      /at most/,
    ],
    ['an exponent of one', () => ({ keys: [{ ...publicOf(rsa), e: 'AQ' }] }), /e must/],
    ['an even exponent', () => ({ keys: [{ ...publicOf(rsa), e: 'AQAA' }] }), /e must/],
    ['an exponent that is huge', () => ({ keys: [{ ...publicOf(rsa), e: rsa.n }] }), /e must/],
    ['an empty exponent', () => ({ keys: [{ ...publicOf(rsa), e: '' }] }), /e must/],
    ['no exponent', () => ({ keys: [{ ...publicOf(rsa), e: undefined }] }), /n and e/],
    ['another curve', () => ({ keys: [{ ...publicOf(ec), crv: 'P-256' }] }), /P-384/],
    ['an Edwards curve', () => ({ keys: [{ kty: 'OKP', kid: 'k', crv: 'Ed25519', x: 'AAAA' }] }), /P-384/],
    ['half a point', () => ({ keys: [{ ...publicOf(ec), y: undefined }] }), /x and y/],
    ['a point off the curve', () => ({ keys: [{ ...publicOf(ec), y: ec.x }] }), /not a valid public key/],
  ];
  for (const [what, jwks, why] of refused) {
    test(`refused: ${what}`, async () => {
      await assert.rejects(readClientKeys(jwks()), (error) => {
        assert.ok(error instanceof MedSealError);
        assert.equal(error.code, 'invalid-parameter');
        assert.match(error.message, why);
        return true;
      });
    });
  }
});

/** An odd number of one bit more than these bytes. */
function over(bytes: number): string {
  return Buffer.concat([Buffer.of(1), Buffer.alloc(bytes, 255)]).toString('base64url');
}

/** The same modulus in more bytes. */
function padded(jwk: JWK): JWK {
  return { ...jwk, n: Buffer.concat([Buffer.alloc(200), Buffer.from(jwk.n ?? '', 'base64url')]).toString('base64url') };
}
