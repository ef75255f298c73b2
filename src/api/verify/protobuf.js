// Protocol buffers in the one form in which they are written here: fields in rising order, each as short as can be, no
// defaults, nothing unknown. https://protobuf.dev/programming-guides/encoding/
import { demand, Refusal } from './bytes.js';

const FORM = 'a message is not in its one form';

/**
 * @param {Uint8Array} bytes
 * @param {Record<number, [name: string, kind: 'bytes' | 'message' | 'list' | 'number']>} fields by number; any may be absent;
 *   a message may be empty, bytes that are there may not; `list` is any number of byte strings
 */
export function message(bytes, fields) {
  const read = Object.fromEntries(
    Object.values(fields).map(([name, kind]) => [name, kind === 'list' ? [] : kind === 'number' ? 0n : undefined]),
  );
  let before = 0;
  for (let at = 0; at < bytes.length; ) {
    const [key, afterKey] = varint(bytes, at);
    const number = Number(key >> 3n);
    const wire = Number(key & 7n);
    const [name, kind] = fields[number] ?? [];
    demand(name !== undefined && (number > before || (kind === 'list' && number === before)), FORM);
    before = number;
    const [value, after] = varint(bytes, afterKey);
    if (kind === 'number') {
      demand(wire === 0 && value !== 0n, FORM);
      read[name] = value;
      at = after;
      continue;
    }
    const end = after + Number(value);
    demand(wire === 2 && end <= bytes.length && (kind !== 'bytes' || value > 0n), FORM);
    const content = bytes.subarray(after, end);
    if (kind === 'list') read[name].push(content);
    else read[name] = content;
    at = end;
  }
  return read;
}

/** Bytes of a field that may not be left out. */
export function present(value) {
  if (value === undefined) throw new Refusal('a message is incomplete');
  return value;
}

function varint(bytes, start) {
  let value = 0n;
  for (let at = start; at < start + 10; at++) {
    const byte = bytes[at];
    demand(byte !== undefined, FORM);
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - start));
    if (byte < 0x80) {
      demand(byte !== 0 || at === start, FORM);
      return [value, at + 1];
    }
  }
  throw new Refusal(FORM);
}
