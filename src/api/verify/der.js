// DER (X.690), certificates (RFC 5280), ECDSA signatures in the lower of their two forms, as Fabric wants them.
import { concat, demand, equal, fromBase64, textOf, toBase64, toHex } from './bytes.js';

const FORM = 'a certificate or signature is not DER';

/** @returns the elements that follow one another in the bytes: tag, content, and all of it */
export function elements(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, first] = [bytes[at], bytes[at + 1]];
    demand(first !== undefined && (tag & 0x1f) !== 0x1f && first !== 0x80 && first <= 0x84, FORM);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    let length = first < 0x80 ? first : 0;
    for (let index = 0; index < lengthBytes; index++) length = length * 256 + (bytes[at + 2 + index] ?? Number.NaN);
    demand(lengthBytes === 0 || (length >= 0x80 && bytes[at + 2] !== 0), FORM);
    const start = at + 2 + lengthBytes;
    demand(start + length <= bytes.length, FORM);
    found.push({ tag, content: bytes.subarray(start, start + length), bytes: bytes.subarray(at, start + length) });
    at = start + length;
  }
  return found;
}

/** One element: a tag and contents. */
export function der(tag, ...contents) {
  const content = concat(...contents);
  const digits = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  const length = content.length < 0x80 ? [content.length] : [0x80 | digits.length, ...digits];
  return concat(Uint8Array.of(tag, ...length), content);
}

/** A whole number that is not negative. */
export function derInteger(value) {
  const digits = value.toString(16);
  const even = digits.padStart(digits.length + (digits.length % 2), '0');
  const bytes = Uint8Array.from(even.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return der(0x02, bytes[0] < 0x80 ? bytes : concat(Uint8Array.of(0), bytes));
}

const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  p256: '2a8648ce3d030107',
  unit: '55040b',
  basicConstraints: '551d13',
};
/** Half the order of P-256, rounded down (SEC 2). */
const HALF_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n >> 1n;

/** @param {Uint8Array} bytes DER */
export function certificate(bytes) {
  const [whole, ...more] = elements(bytes);
  demand(whole !== undefined && more.length === 0, FORM);
  const [toBeSigned, algorithm, signature, ...others] = elements(whole.content);
  // RFC 5280 §4.1: version, serial number, algorithm, issuer, validity, subject, key, and extensions at the end.
  const [, , signedAlgorithm, issuer, validity, subject, key, ...rest] = elements(toBeSigned.content);
  // What is outside of the signed part is in its one form as well.
  const unused = signature?.content[0];
  demand(whole.tag === 0x30 && toBeSigned.tag === 0x30 && others.length === 0, FORM);
  demand(equal(algorithm.bytes, signedAlgorithm.bytes) && signature.tag === 0x03 && unused === 0, FORM);
  const [from, until] = elements(validity.content).map(time);
  const extensions = rest
    .filter(({ tag }) => tag === 0xa3)
    .flatMap(({ content }) => elements(elements(content)[0].content));
  return {
    bytes,
    toBeSigned: toBeSigned.bytes,
    isEcdsa: toHex(elements(algorithm.content)[0].content) === OID.ecdsaWithSha256,
    signature: signature.content.subarray(1),
    issuer: issuer.bytes,
    subject: subject.bytes,
    from,
    until,
    key: key.bytes,
    units: unitsOf(subject.content),
    isAuthority: extensions.some(isAuthority),
  };
}

/** In PEM, and in the one form of it. */
export function certificateFromPem(pem) {
  const [, base64 = ''] =
    /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----\n$/.exec(pem) ?? [];
  const bytes = fromBase64(base64.replaceAll('\n', ''));
  const lines = toBase64(bytes).match(/.{1,64}/g) ?? [];
  demand(
    `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n` === pem,
    'a certificate is not PEM',
  );
  return certificate(bytes);
}

/** Organisational units: Fabric's roles. */
function unitsOf(name) {
  return elements(name)
    .flatMap(({ content }) => elements(content))
    .map(({ content }) => elements(content))
    .filter(([type]) => toHex(type.content) === OID.unit)
    .map(([, value]) => textOf(value.content));
}

function isAuthority({ content }) {
  const parts = elements(content);
  if (toHex(parts[0].content) !== OID.basicConstraints) return false;
  const [sequence] = elements(parts[parts.length - 1].content);
  return elements(sequence.content)[0]?.content[0] === 0xff;
}

/** UTCTime through 2049, GeneralizedTime afterwards; both end with Z. */
function time({ tag, content }) {
  const digits = textOf(content);
  const full = tag === 0x17 ? `${Number(digits.slice(0, 2)) < 50 ? '20' : '19'}${digits}` : digits;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

export async function isIssuedBy(one, authority) {
  const names = authority.isAuthority && equal(one.issuer, authority.subject) && one.isEcdsa;
  return names && (await isSigned(authority.key, one.toBeSigned, one.signature));
}

/** ECDSA on P-256 with SHA-256. @param {Uint8Array} key SubjectPublicKeyInfo */
export async function isSigned(key, bytes, signature) {
  const algorithm = elements(elements(key)[0].content)[0];
  demand(toHex(elements(algorithm.content)[1]?.content ?? []) === OID.p256, 'a key is not on P-256');
  const [sequence, ...more] = elements(signature);
  const numbers = sequence?.tag === 0x30 && more.length === 0 ? elements(sequence.content) : [];
  if (numbers.length !== 2 || numbers.some(({ tag, content }) => tag !== 0x02 || content.length === 0)) return false;
  const [r, s] = numbers.map(({ content }) => BigInt(`0x${toHex(content)}`));
  if (s > HALF_ORDER || !equal(der(0x30, derInteger(r), derInteger(s)), signature)) return false;
  const plain = [r, s].map((value) => value.toString(16).padStart(64, '0')).join('');
  if (plain.length !== 128) return false;
  const raw = Uint8Array.from(plain.match(/../g), (pair) => Number.parseInt(pair, 16));
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const imported = await crypto.subtle.importKey('spki', key, curve, false, ['verify']);
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, imported, raw, bytes);
}
