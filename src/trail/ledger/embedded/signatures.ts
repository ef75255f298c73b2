import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { canonicalJson } from '../../../fhir/json/canonical.ts';

/**
 * Ed25519 (RFC 8032) over canonical JSON (RFC 8785). Keys, hashes and signatures are written in lower-case hexadecimal,
 * in which every bit of the text means something. What is signed always carries a `format` of its own, so that a
 * signature over one kind of thing never passes for another.
 */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: string;
  /** The 32-byte seed. */
  readonly privateKey: string;
}

export function generateKeyPair(): KeyPair {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { publicKey: toHex(x), privateKey: toHex(d) };
}

export function privateKey(pair: KeyPair): KeyObject {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(pair.publicKey), d: toBase64Url(pair.privateKey) };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}

/** @throws TypeError when it is not a key */
export function publicKey(hexadecimal: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(hexadecimal) }, format: 'jwk' });
}

export function signCanonical(key: KeyObject, value: object): string {
  return sign(null, Buffer.from(canonicalJson(value)), key).toString('hex');
}

export function verifyCanonical(key: KeyObject, value: object, signature: string): boolean {
  return verifyBytes(key, Buffer.from(canonicalJson(value)), Buffer.from(signature, 'hex'));
}

export function verifyBytes(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, key, signature);
}

/** SHA-256 over canonical JSON. */
export function digest(value: object): string {
  return hash('sha256', canonicalJson(value), 'hex');
}

function toHex(base64url: string | undefined): string {
  return Buffer.from(base64url ?? '', 'base64url').toString('hex');
}

function toBase64Url(hexadecimal: string): string {
  return Buffer.from(hexadecimal, 'hex').toString('base64url');
}
