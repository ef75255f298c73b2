import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RESOURCE_TYPES, typeDefinition } from '../definitions/definitions.ts';
import { LITERAL_REFERENCE, PRIMITIVES, type Primitive } from './primitives.ts';

function primitive(name: string): Primitive {
  const found = PRIMITIVES.get(name);
  assert.ok(found, name);
  return found;
}

const table: Record<string, { good: unknown[]; bad: unknown[] }> = {
  boolean: { good: [true, false], bad: ['true', 0, null, undefined] },
  integer: { good: [0, -5, 2147483647, -2147483648], bad: [1.5, 2147483648, '1', JSON.rawJSON('1.0'), Number.NaN] },
  unsignedInt: { good: [0, 2147483647], bad: [-1, 0.5, JSON.rawJSON('-0')] },
  positiveInt: { good: [1], bad: [0, -1, 2147483648] },
  decimal: { good: [0, -1.5, 1e21, JSON.rawJSON('1.0')], bad: ['1.0', { rawJSON: '1.0' }, Number.NaN, null] },
  string: { good: ['a', ' ', 'a\tb\r\nc', '\u3000', '病人', '\u007f'], bad: ['', 1, 'a\u0000', 'a\u000b', null] },
  markdown: { good: ['# a\n\nb'], bad: ['', '\u0001'] },
  code: { good: ['a', 'a b', 'a-b_c', '<='], bad: ['', ' a', 'a ', 'a  b', 'a\tb', 'a\n', 'a\u0000'] },
  id: { good: ['a', 'A-1.b', 'x'.repeat(64)], bad: ['', 'a_b', 'a b', 'x'.repeat(65), 'a\n', '病'] },
  uri: { good: ['http://a.b/c?d#e', 'urn:x', 'x', '#'], bad: ['', 'a b', 'a\n', 'a\u0000'] },
  url: { good: ['mailto:a@b.c'], bad: ['a b'] },
  canonical: { good: ['http://a.b/c|1.0'], bad: [''] },
  oid: {
    good: ['urn:oid:1.2.840.0', 'urn:oid:2.16'],
    bad: ['urn:oid:3.1', 'urn:oid:1', 'urn:oid:1.02', '1.2', 'urn:oid:1.2.'],
  },
  uuid: {
    good: ['urn:uuid:c757873d-ec9a-4326-a141-556f43239520'],
    bad: ['c757873d-ec9a-4326-a141-556f43239520', 'urn:uuid:C757873D-EC9A-4326-A141-556F43239520', 'urn:uuid:1'],
  },
  date: {
    good: ['2019', '2019-02', '2019-02-28', '2020-02-29', '2000-02-29', '0001-12-31'],
    bad: [
      '0000',
      '19',
      '2019-13',
      '2019-00',
      '2019-1',
      '2019-02-29',
      '1900-02-29',
      '2019-04-31',
      '2019-01-00',
      '2019-1-01',
    ],
  },
  dateTime: {
    good: ['2019', '2019-02', '2019-02-28', '2019-02-28T00:00:00Z', '2019-02-28T23:59:60.123456789+14:00'],
    bad: [
      '2019-02-28T00:00:00',
      '2019-02-28T00:00Z',
      '2019-02-28T24:00:00Z',
      '2019-02-30T00:00:00Z',
      '2019-02-28 00:00:00Z',
      '2019-02T00:00:00Z',
      '2019-02-28T00:00:00+14:01',
      '2019-02-28T00:00:00.Z',
      '2019-02-28T00:00:00z',
    ],
  },
  instant: { good: ['2019-02-28T00:00:00.1-05:00'], bad: ['2019', '2019-02-28', '2019-02-28T00:00:00'] },
  time: { good: ['00:00:00', '23:59:60.5'], bad: ['24:00:00', '12:00', '12:00:00Z', '12:60:00'] },
  base64Binary: {
    good: ['YQ==', 'YWI=', 'YWJj', 'YWJj\nYWJj ', ' Y W J j'],
    bad: ['', ' ', 'YQ=', 'Y', 'YWJj=', 'YW=j', '====', 'YWJ_', 'YWJj\u00a0', 'Y==='],
  },
  xhtml: {
    good: ['<div xmlns="http://www.w3.org/1999/xhtml">a</div>', '<div/>', '\n<div>a</div>'],
    bad: ['', 'a', '<p>a</p>', '<divx/>', '<div>\u0000</div>'],
  },
};

test('every primitive of R4 has its check', () => {
  assert.deepEqual([...PRIMITIVES.keys()].toSorted(), Object.keys(table).toSorted());
  assert.equal(PRIMITIVES.size, 20);
});

for (const [name, { good, bad }] of Object.entries(table)) {
  test(name, () => {
    for (const value of good) assert.ok(primitive(name).accepts(value), `${JSON.stringify(value)} should be accepted`);
    for (const value of bad) assert.ok(!primitive(name).accepts(value), `${JSON.stringify(value)} should be refused`);
  });
}

test('the date formats agree with HL7’s patterns, but for the days that a month has', () => {
  for (const name of ['date', 'dateTime', 'instant', 'time', 'id', 'oid', 'uuid']) {
    const pattern = new RegExp(`^(?:${typeDefinition(name)?.regex})$`);
    for (const value of table[name]?.good ?? []) assert.match(String(value), pattern);
    for (const value of table[name]?.bad ?? []) {
      assert.equal(pattern.test(String(value)), /-(02-29|02-30|04-31)/.test(String(value)), String(value));
    }
  }
});

test('a literal reference has one of R4’s forms', () => {
  const good = [
    'Patient/1',
    'Patient/1/_history/2',
    'http://a.b/Patient/1',
    'urn:oid:1.2.3',
    '#',
    '#p1',
    'Patient?a=b',
  ];
  const bad = ['', 'patient 1', 'Patient', 'Patient/', 'Nobody/1', 'Patient/a_b', 'urn:uuid:1', '#a b', 1];
  for (const value of good) assert.ok(LITERAL_REFERENCE.accepts(value), value);
  for (const value of bad) assert.ok(!LITERAL_REFERENCE.accepts(value), String(value));
});

describe('a million hostile characters are answered', () => {
  const million = 1024 * 1024 - 10;
  const hostile = [
    'a'.repeat(million),
    `${'a '.repeat(million / 2)}\t`,
    ' '.repeat(million),
    `${'YWJj '.repeat(million / 5)}!`,
    '='.repeat(million),
    `urn:oid:1${'.1'.repeat(million / 2)}x`,
    `2019-02-28T00:00:00.${'1'.repeat(million)}x`,
    '+14:0'.repeat(million / 5),
    `${' '.repeat(million)}<di`,
    `Patient/${'a/'.repeat(million / 2)}`,
    `http://${'a/'.repeat(million / 2)} `,
  ];
  for (const [name, { accepts }] of [...PRIMITIVES, ['Reference.reference', LITERAL_REFERENCE] as const]) {
    test(name, () => {
      for (const value of hostile) assert.equal(typeof accepts(value), 'boolean');
    });
  }
});

test('HL7 gives no type a primitive that is missing here', () => {
  for (const type of RESOURCE_TYPES) {
    for (const { types } of typeDefinition(type)?.elements.values() ?? []) {
      for (const name of types) assert.equal(typeDefinition(name)?.kind === 'primitive', PRIMITIVES.has(name), name);
    }
  }
});
