import { importJWK, type JWK } from 'jose';
import { MedSealError } from '../errors.ts';

/**
 * The signature algorithms of client assertions, and no others.
 * https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#signature-algorithms
 */
export const ASSERTION_ALGORITHMS = ['RS384', 'ES384'] as const;

/** A public key as it is kept: exactly these members. */
type ClientKey = Readonly<{ kid: string; alg: string; use: 'sig' }> &
  (Readonly<{ kty: 'RSA'; n: string; e: string }> | Readonly<{ kty: 'EC'; crv: 'P-384'; x: string; y: string }>);

export interface ClientKeySet {
  readonly keys: readonly ClientKey[];
}

const MOST_KEYS = 20;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const SMALLEST_RSA = 2048;
/** Verifying takes longer with every bit, and the client chooses them. */
const LARGEST_RSA = 8192;

/**
 * Checks a JSON Web Key Set that a client registers (RFC 7517) and keeps of it what verification needs.
 *
 * @throws MedSealError `invalid-parameter` that names the key and what is wrong with it
 */
export async function readClientKeys(jwks: unknown): Promise<ClientKeySet> {
  const keys = isObject(jwks) ? jwks.keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST_KEYS) {
    throw new MedSealError('invalid-parameter', `jwks must have a list "keys" of 1 to ${MOST_KEYS} keys.`);
  }
  const read = await Promise.all(keys.map((key, i) => readKey(key, `jwks.keys[${i}]`)));
  if (new Set(read.map((key) => key.kid)).size < read.length) throw invalid('jwks', 'two keys have the same kid');
  return { keys: read };
}

async function readKey(key: unknown, at: string): Promise<ClientKey> {
  if (!isObject(key)) throw invalid(at, 'it must be an object');
  if (PRIVATE_MEMBERS.some((member) => member in key)) {
    throw invalid(at, 'it has private or symmetric key material; register the public key, and replace this one');
  }
  const { kid, use = 'sig', key_ops: operations } = key;
  if (typeof kid !== 'string' || kid === '' || kid.length > 200) throw invalid(at, 'kid must be a short string');
  if (use !== 'sig') throw invalid(at, 'use must be sig');
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw invalid(at, 'key_ops must include verify');
  }
  const read = key.kty === 'RSA' ? readRsa(key, kid, at) : readEc(key, kid, at);
  if (key.alg !== undefined && key.alg !== read.alg) throw invalid(at, `alg must be ${read.alg} for this key`);
  try {
    await importJWK(read as JWK, read.alg);
  } catch (cause) {
    throw invalid(at, 'it is not a valid public key', cause);
  }
  return read;
}

function readRsa({ n, e }: Readonly<Record<string, unknown>>, kid: string, at: string): ClientKey {
  if (typeof n !== 'string' || typeof e !== 'string') throw invalid(at, 'an RSA key must have n and e');
  const bits = bitLength(Buffer.from(n, 'base64url'));
  if (bits < SMALLEST_RSA) throw invalid(at, `an RSA key must have at least ${SMALLEST_RSA} bits, not ${bits}`);
  if (bits > LARGEST_RSA) throw invalid(at, `an RSA key must have at most ${LARGEST_RSA} bits, not ${bits}`);
  // An even or tiny exponent is no RSA key; a huge one only makes verification slow.
  const exponent = Buffer.from(e, 'base64url');
  const odd = /[13579bdf]$/.test(exponent.toString('hex'));
  if (!odd || bitLength(exponent) < 2 || bitLength(exponent) > 33) throw invalid(at, 'e must be a usual exponent');
  return { kty: 'RSA', kid, alg: 'RS384', use: 'sig', n, e };
}

function readEc({ kty, crv, x, y }: Readonly<Record<string, unknown>>, kid: string, at: string): ClientKey {
  if (kty !== 'EC' || crv !== 'P-384') throw invalid(at, 'it must be an RSA key (RS384) or an EC key on P-384 (ES384)');
  if (typeof x !== 'string' || typeof y !== 'string') throw invalid(at, 'an EC key must have x and y');
  return { kty: 'EC', kid, alg: 'ES384', use: 'sig', crv: 'P-384', x, y };
}

function bitLength(bytes: Buffer): number {
  return BigInt(`0x0${bytes.toString('hex')}`).toString(2).length;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(at: string, why: string, cause?: unknown): MedSealError {
  return new MedSealError('invalid-parameter', `${at}: ${why}.`, { cause });
}
