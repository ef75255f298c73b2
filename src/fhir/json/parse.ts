import { isUtf8 } from 'node:buffer';
import { MedSealError } from '../../errors.ts';
import type { RawJson } from './decimals.ts';
import { DEFAULT_JSON_LIMITS, type JsonLimits } from './limits.ts';
import { type KeptNumber, scanJson } from './scanner.ts';
import { decodeUtf8 } from './utf8.ts';

export type JsonValue = null | boolean | number | string | RawJson | JsonValue[] | { [key: string]: JsonValue };

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * Parses JSON that came from outside. Stricter than JSON.parse: UTF-8 only, no byte order mark, no duplicate keys, no
 * `__proto__`, `constructor` or `prototype` as a key, no lone surrogates, and `limits` on size and shape. Numbers keep
 * their written form (see decimals.ts).
 *
 * @throws MedSealError `malformed-json`, `json-limits` or `duplicate-key`, with the byte offset in its message and the
 *   element's path as `expression`: `Observation.component[2].code`, or `$.a[1].b` where no resource type is known yet
 */
export function parseJson(bytes: Uint8Array, limits: Partial<JsonLimits> = {}): JsonValue {
  refuseForeignEncoding(bytes);
  const kept = scanJson(bytes, { ...DEFAULT_JSON_LIMITS, ...limits });
  const value: JsonValue = parseScanned(decodeUtf8(bytes));
  return kept.length === 0 ? value : withWrittenForms(value, kept);
}

function refuseForeignEncoding(bytes: Uint8Array): void {
  if (BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte)) {
    throw new MedSealError('malformed-json', 'The JSON is not acceptable at byte 0: a byte order mark');
  }
  if (!isUtf8(bytes)) {
    throw new MedSealError('malformed-json', `The JSON is not acceptable at byte ${firstNotUtf8(bytes)}: not UTF-8`);
  }
}

/** Where decoding first puts a replacement character: encoded again, the bytes differ from there. */
function firstNotUtf8(bytes: Uint8Array): number {
  const again = Buffer.from(decodeUtf8(bytes));
  let offset = 0;
  while (offset < bytes.length && again[offset] === bytes[offset]) offset++;
  return offset;
}

function parseScanned(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    // The scanner accepted what JSON.parse does not. V8's message quotes the text, so it must not travel as the cause.
    throw new MedSealError('internal', 'The JSON scanner and JSON.parse disagree');
  }
}

function withWrittenForms(value: JsonValue, kept: readonly KeptNumber[]): JsonValue {
  const holder = { root: value };
  for (const { path, text } of kept) {
    let parent: Record<string | number, unknown> = holder;
    let name: string | number = 'root';
    for (const step of path) {
      parent = parent[name] as Record<string | number, unknown>;
      name = step;
    }
    parent[name] = JSON.rawJSON(text);
  }
  return holder.root;
}
