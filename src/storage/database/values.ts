import { TypeOverrides, types } from 'pg';

const INT8 = 20;
const INT8_ARRAY = 1016;
const BYTEA = 17;
const DATE = 1082;
const TEXT_ARRAY: number = 1009;
const UUID_ARRAY = 2951;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [INT8, BigInt],
  [INT8_ARRAY, parseBigints],
  [UUID_ARRAY, parseTexts],
  [TEXT_ARRAY, parseTexts],
  [BYTEA, (text) => Buffer.from(text.slice(2), 'hex')],
  [TIMESTAMPTZ, parseInstant],
  [DATE, (text) => text],
  [TIMESTAMP, (text) => text],
]);

/** How column values become JavaScript values; port.ts says which and why. Connections must have TimeZone UTC. */
export function valueParsers(): TypeOverrides {
  const overrides = new TypeOverrides();
  for (const [oid, parse] of PARSERS) overrides.setTypeParser(oid, parse);
  return overrides;
}

/** The same for the values of one type, by its OID. */
export function valueParser(oid: number): (text: string) => unknown {
  return PARSERS.get(oid) ?? types.getTypeParser(oid, 'text');
}

/** PostgreSQL never quotes integers. */
function parseBigints(text: string): (bigint | null)[] {
  return parseUnquoted(text, BigInt);
}

/** Most have nothing quoted, and are read with every row. */
function parseTexts(text: string): unknown {
  return /["\\]/.test(text) ? parseQuoted(text) : parseUnquoted(text, (item) => item);
}
const parseQuoted: (text: string) => unknown = types.getTypeParser(TEXT_ARRAY, 'text');

/** `{1,-2,NULL}`. Arrays of arrays are not used. */
function parseUnquoted<T>(text: string, parse: (item: string) => T): (T | null)[] {
  if (text === '{}') return [];
  return text
    .slice(1, -1)
    .split(',')
    .map((item) => (item === 'NULL' ? null : parse(item)));
}

/** `2026-11-22 11:35:00.1234+00` becomes `2026-11-22T11:35:00.123Z`. */
function parseInstant(text: string): string {
  // infinity, and years before 1 or after 9999, have no FHIR form; they are not stored either.
  if (text[10] !== ' ' || !text.endsWith('+00')) return text;
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).slice(0, 3).padEnd(3, '0')}Z`;
}

/**
 * A parameter as it travels: bytes as they are, the rest as text, an object as JSON. Arrays hold what one parameter may hold,
 * but no arrays.
 *
 * @throws TypeError for a value that PostgreSQL has no text for
 */
export function wireText(value: unknown): string | Buffer | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return `{${value.map(elementText).join(',')}}`;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return scalarText(value);
}

function elementText(element: unknown): string {
  if (element === null || element === undefined) return 'NULL';
  if (element instanceof Uint8Array) {
    return `"\\\\x${Buffer.from(element.buffer, element.byteOffset, element.byteLength).toString('hex')}"`;
  }
  if (typeof element === 'string') return `"${element.replace(/["\\]/g, '\\$&')}"`;
  return scalarText(element);
}

function scalarText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      return value instanceof Date ? value.toISOString() : JSON.stringify(value);
  }
  throw new TypeError('A parameter of a statement is of a type that has no form in PostgreSQL');
}
