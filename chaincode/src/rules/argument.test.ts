import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytes32, cid, instant, integer, nullable, readArgument, readNumber, set } from './argument.ts';
import { canonicalJson } from './canonical.ts';
import { ContractRefusal } from './refusal.ts';

const invalid = (error: unknown) => error instanceof ContractRefusal && error.code === 'invalid-argument';
const SHAPE = { a: integer(1), b: nullable(bytes32) };
const read = (text: string) => readArgument<{ a: number; b: string | null }>(text, SHAPE);

describe('arguments', () => {
  it('are read when they are canonical and complete', () => {
    assert.deepEqual(read('{"a":1,"b":null}'), { a: 1, b: null });
    assert.deepEqual(read(`{"a":7,"b":"${'0a'.repeat(32)}"}`), { a: 7, b: '0a'.repeat(32) });
  });

  for (const [what, text] of [
    ['no JSON', '{"a":1,"b":null'],
    ['an array', '[1]'],
    ['null', 'null'],
    ['a missing field', '{"a":1}'],
    ['an unknown field', '{"a":1,"b":null,"c":1}'],
    ['a field of every object', '{"__proto__":null,"a":1,"b":null}'],
    ['a repeated field', '{"a":2,"a":1,"b":null}'],
    ['another order', '{"b":null,"a":1}'],
    ['white space', '{"a": 1,"b":null}'],
    ['another form of a number', '{"a":1.0,"b":null}'],
    ['an exponent', '{"a":1e0,"b":null}'],
    ['a fraction', '{"a":1.5,"b":null}'],
    ['too small a number', '{"a":0,"b":null}'],
    ['a number as a string', '{"a":"1","b":null}'],
    ['upper-case hexadecimal', `{"a":1,"b":"${'0A'.repeat(32)}"}`],
    ['31 bytes', `{"a":1,"b":"${'0a'.repeat(31)}"}`],
    ['a line break after the pattern', `{"a":1,"b":"${'0a'.repeat(32)}\\n"}`],
    ['deep nesting', `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)},"b":null}`],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => read(text), invalid));
  }

  it('knows manifests by CIDv1, raw or dag-cbor, with sha2-256', () => {
    // Of the empty block, raw, and of {}, dag-cbor.
    const known = [
      'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
      'bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua',
    ];
    for (const text of known) assert.equal(cid(text, 'cid'), text);
    for (const text of [
      'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
      'BAFKREIHDWDCEFGH4DQKJV67UZCMW7OJEE6XEDZDETOJUZJEVTENXQUVYKU',
      'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykv',
      'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyk',
      'bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
      '',
    ]) {
      assert.throws(() => cid(text, 'cid'), invalid, text);
    }
  });

  it('knows instants by their one form', () => {
    assert.equal(instant('2026-11-22T00:00:00.000Z', 't'), '2026-11-22T00:00:00.000Z');
    for (const text of [
      '2026-11-22',
      '2026-11-22T00:00:00Z',
      '2026-11-22T08:00:00.000+08:00',
      '2026-02-30T00:00:00.000Z',
    ]) {
      assert.throws(() => instant(text, 't'), invalid, text);
    }
  });

  it('knows sets by their order', () => {
    const [a, b] = ['0a'.repeat(32), '0b'.repeat(32)];
    assert.deepEqual(set(bytes32, 2)([a, b], 's'), [a, b]);
    for (const items of [[], [b, a], [a, a], [a, b, 'c']]) assert.throws(() => set(bytes32, 2)(items, 's'), invalid);
    assert.throws(() => set(bytes32, 1)([a, b], 's'), invalid);
  });

  it('reads numbers by digits alone', () => {
    assert.equal(readNumber('12', 'n', 1, 20), 12);
    for (const text of ['', '0', '21', '01', '1.0', ' 1', '1e1', '-1', '99999999999999999']) {
      assert.throws(() => readNumber(text, 'n', 1, 20), invalid, text);
    }
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order of building, and parses back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.array(fc.boolean()))), (value) => {
        const text = canonicalJson(value);
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        assert.equal(canonicalJson(reversed), text);
        assert.deepEqual({ ...JSON.parse(text) }, { ...value });
      }),
    );
  });

  it('sorts by UTF-16 code units, as RFC 8785 §3.2.3 shows', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, ö: 7 };
    const values = [...canonicalJson(value).matchAll(/:([0-9])/g)].map((match) => match[1]);
    assert.deepEqual(values.join(''), '2467153');
  });
});
