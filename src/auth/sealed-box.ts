import { CompactEncrypt, compactDecrypt } from 'jose';
import { MedSealError } from '../errors.ts';

/**
 * Seals what the authorization server stores about people: a token's patient, a session's account. Someone who holds
 * the database alone reads none of it, and cannot move it to another row.
 */
export interface SealedBox {
  /** A compact JWE of `value` (anything that JSON can hold) that opens only for the same `place`. */
  seal(place: string, value: unknown): Promise<string>;
  /** @throws MedSealError `sealed-content-damaged` when `sealed` is not what was sealed for `place` */
  open(place: string, sealed: string): Promise<unknown>;
}

/** @param key 256 bits, base64url */
export async function createSealedBox(key: string): Promise<SealedBox> {
  // A CryptoKey, because jose would otherwise import the bytes on every call.
  const bytes = Buffer.from(key, 'base64url');
  const secret = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
  return {
    seal: (place, value) =>
      new CompactEncrypt(new TextEncoder().encode(JSON.stringify(value)))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', place })
        .encrypt(secret),
    open: async (place, sealed) => {
      try {
        const { plaintext, protectedHeader } = await compactDecrypt(sealed, secret, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
          maxDecompressedLength: 0,
        });
        if (protectedHeader.place !== place) throw new Error('it was sealed for another place');
        return JSON.parse(new TextDecoder().decode(plaintext));
      } catch (cause) {
        throw new MedSealError('sealed-content-damaged', 'A sealed entry of the authorization server does not open.', {
          cause,
        });
      }
    },
  };
}
