import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { RecentValues } from './recent-values.ts';

/**
 * Opaque names. An id token stands for (institution, type, logical id) everywhere outside the seal; a patient's id token
 * is also the pseudonym that its KEKs, consents and compartments go by.
 */
export interface Identities {
  /** 128 bits of HMAC-SHA-256 in UUID form. */
  idToken(institution: string, type: string, id: string): string;
  /** The subject whose KEK seals an institution's records of no patient. */
  institutionSubject(institution: string): string;
}

const CACHE_SIZE = 50_000;

/** @param secret the node's index secret, 32 bytes */
export function createIdentities(secret: Buffer): Identities {
  const key = deriveKey(secret, 'identity');
  const cache = new RecentValues<string>(CACHE_SIZE);
  const token = (name: string): string => {
    const known = cache.get(name);
    if (known !== undefined) return known;
    const made = uuidOf(createHmac('sha256', key).update(name).digest('hex'));
    cache.set(name, made);
    return made;
  };
  return {
    idToken: (institution, type, id) => token(`${institution}/${type}/${id}`),
    institutionSubject: (institution) => token(`${institution}`),
  };
}

/** A key for one use out of the index secret. */
export function deriveKey(secret: Buffer, use: string): KeyObject {
  return createSecretKey(createHmac('sha256', createSecretKey(secret)).update(`medseal/index/1 ${use}`).digest());
}

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** The first 64 bits of an id token, signed: how other rows' reference tokens name this resource. Never 0. */
export function selfToken(idToken: string): bigint {
  const bits = BigInt.asIntN(64, BigInt(`0x${idToken.slice(0, 8)}${idToken.slice(9, 13)}${idToken.slice(14, 18)}`));
  return bits === 0n ? 1n : bits;
}
