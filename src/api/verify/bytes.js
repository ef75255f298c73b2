// Bytes and texts. Everything here is refused in any but its one form.

/** Thrown for whatever makes evidence not hold. */
export class Refusal extends Error {}

/** @param {unknown} condition @param {string} reason */
export function demand(condition, reason) {
  if (!condition) throw new Refusal(reason);
}

export const utf8 = (text) => new TextEncoder().encode(text);

/** Without a byte order mark being taken away, and only well-formed. */
export function textOf(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal('a text is not UTF-8');
  }
}

export function concat(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function equal(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function fromHex(text) {
  demand(/^(?:[0-9a-f]{2})*$/.test(text), 'a value is not hexadecimal');
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toBase64(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function fromBase64(text) {
  demand(
    typeof text === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0,
    'a value is not base64',
  );
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  demand(toBase64(bytes) === text, 'a value is not base64 in its one form');
  return bytes;
}

export function toBase64url(bytes) {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

export function fromBase64url(text) {
  demand(typeof text === 'string' && /^[\w-]*$/.test(text), 'a value is not base64url');
  const padded = text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .padEnd(Math.ceil(text.length / 4) * 4, '=');
  return fromBase64(padded);
}

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}
