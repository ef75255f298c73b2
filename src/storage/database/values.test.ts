import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueParser } from './values.ts';

const INT8_ARRAY = 1016;
const TEXT_ARRAY = 1009;
const UUID_ARRAY = 2951;
const TIMESTAMPTZ = 1184;
const UUID = '3f1c0a52-5b6c-4d0e-9a3b-0123456789ab';

const VALUES: readonly (readonly [oid: number, text: string, value: unknown])[] = [
  [INT8_ARRAY, '{}', []],
  [INT8_ARRAY, '{1,-9122227059224601424,NULL}', [1n, -9122227059224601424n, null]],
  [UUID_ARRAY, '{}', []],
  [UUID_ARRAY, `{${UUID},NULL,${UUID}}`, [UUID, null, UUID]],
  [TEXT_ARRAY, '{a,b c,NULL}', ['a', 'b c', null]],
  [TEXT_ARRAY, '{"a,b","NULL",c}', ['a,b', 'NULL', 'c']],
  [TEXT_ARRAY, '{"a\\"b","c\\\\d",""}', ['a"b', 'c\\d', '']],
  [TIMESTAMPTZ, '2026-11-22 11:35:00+00', '2026-11-22T11:35:00.000Z'],
  [TIMESTAMPTZ, '2026-11-22 11:35:00.1+00', '2026-11-22T11:35:00.100Z'],
  [TIMESTAMPTZ, '0001-01-01 00:00:00.123456+00', '0001-01-01T00:00:00.123Z'],
  [TIMESTAMPTZ, '10000-01-01 00:00:00+00', '10000-01-01 00:00:00+00'],
  [TIMESTAMPTZ, '0044-03-15 00:00:00+00 BC', '0044-03-15 00:00:00+00 BC'],
  [TIMESTAMPTZ, '-infinity', '-infinity'],
];

for (const [oid, text, value] of VALUES) {
  test(`${text} is read`, () => assert.deepEqual(valueParser(oid)(text), value));
}
