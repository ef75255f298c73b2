import { decodeUtf8 } from './utf8.ts';

/** A double tells every decimal of so many digits from every other. */
const EXACT_DIGITS = 15;

/**
 * Where the number that begins at `start` ends (RFC 8259 §6); negated, where a digit is missing. `start` must hold a
 * digit or a minus sign.
 */
export function endOfNumber(bytes: Uint8Array, start: number): number {
  const first = bytes[start] === 0x2d /* - */ ? start + 1 : start;
  let end = bytes[first] === 0x30 /* 0 */ ? first + 1 : endOfDigits(bytes, first);
  if (end === first) return -end;
  if (bytes[end] === 0x2e /* . */) {
    const fraction = end + 1;
    end = endOfDigits(bytes, fraction);
    if (end === fraction) return -end;
  }
  if (bytes[end] === 0x65 /* e */ || bytes[end] === 0x45 /* E */) {
    const sign = bytes[end + 1];
    const exponent = sign === 0x2b /* + */ || sign === 0x2d /* - */ ? end + 2 : end + 1;
    end = endOfDigits(bytes, exponent);
    if (end === exponent) return -end;
  }
  return end;
}

function endOfDigits(bytes: Uint8Array, start: number): number {
  let end = start;
  for (let byte = bytes[end]; byte !== undefined && byte >= 0x30 && byte <= 0x39; byte = bytes[end]) end++;
  return end;
}

/** The text of a number that `String(Number(text))` writes differently; undefined for any other. */
export function unusualForm(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (isPlainForm(bytes, start, end)) return undefined;
  const text = decodeUtf8(bytes, start, end);
  return String(Number(text)) === text ? undefined : text;
}

/** A quick answer for nearly every number: no exponent, few digits, no zero at either end. */
function isPlainForm(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > EXACT_DIGITS) return false;
  const first = bytes[start] === 0x2d /* - */ ? start + 1 : start;
  if (bytes[first] === 0x30 /* 0 */) return end === 1 + start;
  let point = false;
  for (let i = first; i < end; i++) {
    if (bytes[i] === 0x2e /* . */) point = true;
    else if ((bytes[i] ?? 0) > 0x39 /* e or E */) return false;
  }
  return !point || bytes[end - 1] !== 0x30;
}
