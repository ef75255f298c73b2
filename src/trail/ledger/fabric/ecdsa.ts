import { type KeyObject, verify } from 'node:crypto';
import { DER, derElements } from './der.ts';

/** Half the order of each curve (SEC 2): what Fabric lets the second number of a signature be at most. */
const HALF_ORDERS: Readonly<Record<string, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n >> 1n,
  secp384r1: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n >> 1n,
};

/**
 * Verifies an ECDSA signature in DER over SHA-256, as Fabric does: of the two signatures that anybody can make of one
 * (r, s and r, n−s) only that with the lower s counts, so that its bytes cannot be changed.
 */
export function verifySignature(key: KeyObject, message: Uint8Array, signature: Buffer): boolean {
  return isLowS(key, signature) && verify('sha256', message, key, signature);
}

/** Whether the signature in DER is the lower of its two forms. Of keys that are not of such a curve there is only one. */
export function isLowS(key: KeyObject, signature: Buffer): boolean {
  if (key.asymmetricKeyType !== 'ec') return true;
  const s = secondNumber(signature);
  return s !== undefined && s <= halfOrder(key);
}

/** Half the order of the key's curve, rounded down; 0 for a curve that is not used here. */
export function halfOrder(key: KeyObject): bigint {
  return HALF_ORDERS[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 0n;
}

function secondNumber(signature: Buffer): bigint | undefined {
  try {
    const [sequence, ...more] = derElements(signature);
    const numbers = sequence?.tag === DER.SEQUENCE && more.length === 0 ? derElements(sequence.content) : [];
    const s = numbers.length === 2 ? numbers[1] : undefined;
    return s?.tag === DER.INTEGER ? BigInt(`0x${s.content.toString('hex')}`) : undefined;
  } catch {
    return undefined; // not DER, so no signature of ours
  }
}
