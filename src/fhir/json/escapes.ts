import { decodeUtf8 } from './utf8.ts';

const ONE_CHARACTER = '"\\/bfnrt';
const FOUR_HEX_DIGITS = /^[0-9A-Fa-f]{4}$/;

/**
 * Where the escape whose backslash is at `at` has its last character (RFC 8259 §7); negated, where it is wrong. A
 * surrogate must come with its other half (RFC 8259 §8.2 leaves lone ones unpredictable).
 */
export function endOfEscape(bytes: Uint8Array, at: number): number {
  const byte = bytes[at + 1];
  if (byte !== 0x75 /* u */)
    return byte !== undefined && ONE_CHARACTER.includes(String.fromCharCode(byte)) ? at + 1 : -at;
  const unit = codeUnit(bytes, at);
  if (unit === undefined) return -at;
  if (unit < 0xd800 || unit > 0xdfff) return at + 5;
  const low = unit < 0xdc00 ? codeUnit(bytes, at + 6) : undefined;
  return low !== undefined && low >= 0xdc00 && low <= 0xdfff ? at + 11 : -at;
}

/** What `\uXXXX` at `at` stands for; undefined when it is not that. */
function codeUnit(bytes: Uint8Array, at: number): number | undefined {
  if (bytes[at] !== 0x5c /* \ */ || bytes[at + 1] !== 0x75 /* u */ || at + 6 > bytes.length) return undefined;
  const digits = decodeUtf8(bytes, at + 2, at + 6);
  return FOUR_HEX_DIGITS.test(digits) ? Number.parseInt(digits, 16) : undefined;
}
