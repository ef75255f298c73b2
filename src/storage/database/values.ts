import { TypeOverrides } from 'pg';

const INT8 = 20;
const INT8_ARRAY = 1016;
const BYTEA = 17;
const DATE = 1082;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

/** How column values become JavaScript values; port.ts says which and why. Connections must have TimeZone UTC. */
export function valueParsers(): TypeOverrides {
  const types = new TypeOverrides();
  types.setTypeParser(INT8, BigInt);
  types.setTypeParser(INT8_ARRAY, parseBigints);
  types.setTypeParser(BYTEA, (text) => Buffer.from(text.slice(2), 'hex'));
  types.setTypeParser(TIMESTAMPTZ, parseInstant);
  for (const type of [DATE, TIMESTAMP]) types.setTypeParser(type, (text) => text);
  return types;
}

/** `{1,-2,NULL}`; PostgreSQL never quotes integers. Arrays of arrays are not used. */
function parseBigints(text: string): (bigint | null)[] {
  if (text === '{}') return [];
  return text
    .slice(1, -1)
    .split(',')
    .map((item) => (item === 'NULL' ? null : BigInt(item)));
}

/** `2026-11-22 11:35:00.1234+00` becomes `2026-11-22T11:35:00.123Z`. */
function parseInstant(text: string): string {
  const [, date, time, fraction = ''] = TIMESTAMP_TEXT.exec(text) ?? [];
  // infinity, and years before 1 or after 9999, have no FHIR form; they are not stored either.
  return date === undefined ? text : `${date}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
}
const TIMESTAMP_TEXT = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/;
